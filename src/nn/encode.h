/* SPDX-License-Identifier: MIT
 *
 * encode.h - what layers of categories share.
 */
#ifndef NC_NN_ENCODE_H
#define NC_NN_ENCODE_H

#include "nn/layer.h"

#define NC_OUTPUT_MODES "int|one_hot|multi_hot|count" /* after the default: nacre_output_mode */

/* Numbers 0 .. depth-1 of i32 in an output mode; NULL after an error. */
nacre_node *nc_encode(nc_call *c, nacre_layer *l, nacre_node *index, int64_t depth, int mode);
/* Whether the option `sparse` may be as it is in this mode. */
bool nc_encode_check(nacre_layer *l, int sparse, int mode);

#endif
