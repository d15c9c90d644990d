/* SPDX-License-Identifier: MIT
 *
 * nacre.h - all of Nacre's public interface.  Each header is the manual of its subject.
 */
#ifndef NACRE_H
#define NACRE_H

#include "nacre/status.h"
#include "nacre/runtime.h"
#include "nacre/tensor.h"
#include "nacre/graph.h"
#include "nacre/op.h"
#include "nacre/data.h"
#include "nacre/format.h"
#include "nacre/csv.h"
#include "nacre/activation.h"
#include "nacre/initializer.h"
#include "nacre/layer.h"
#include "nacre/layers_more.h"
#include "nacre/convolution.h"
#include "nacre/augment.h"
#include "nacre/image.h"
#include "nacre/image_data.h"
#include "nacre/vocabulary.h"
#include "nacre/constraint.h"
#include "nacre/loss.h"
#include "nacre/metric.h"
#include "nacre/schedule.h"
#include "nacre/optimizer.h"
#include "nacre/callback.h"
#include "nacre/model.h"
#include "nacre/explain.h"
#include "nacre/save.h"
#include "nacre/applications.h"

#endif
