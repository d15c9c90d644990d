/* SPDX-License-Identifier: MIT
 *
 * hdf5_filter.h - what HDF5 calls the filters that Nacre undoes.
 */
#ifndef NC_HDF5_FILTER_H
#define NC_HDF5_FILTER_H

enum { NC_H5_DEFLATE = 1, NC_H5_SHUFFLE = 2, NC_H5_FLETCHER32 = 3 };

#endif
