# SPDX-License-Identifier: MIT
#
# info.sh - nacre info and nacre convert on every format.
. "$(dirname "$0")/common.sh"

# 2 x 3 of u8
printf '\000\000\010\002\000\000\000\002\000\000\000\003\001\002\003\004\005\006' >six.idx
run 0 info six.idx
has out "idx, u8 [2, 3], 6 bytes"
run 0 info six.idx --json
is_json file format dtype shape bytes

run 0 convert six.idx six.npy
has out "u8 [2, 3]"
run 0 info six.npy
has out "npy, u8 [2, 3]"
run 0 convert six.npy six.safetensors --tensor images/x --json
is_json input output dtype shape
run 0 info six.safetensors
has out "images/x"
has out "[2, 3]"
run 0 info six.safetensors --json
is_json tensors name dtype shape metadata
run 0 convert six.safetensors again.npy
cmp -s six.npy again.npy || wrong "npy -> safetensors -> npy changed the file"
run 0 convert six.safetensors again.npy --tensor images/x -q
[ -s out ] && wrong "--quiet is not quiet"

run 2 convert six.idx six.txt
has err ".npz or .safetensors"
run 2 convert six.safetensors x.npy --tensor nothing
has err 'it has "images/x"'
run 0 info "$data/people.csv"
has out "names in the first line"
has out "category"
has out "1 missing"
run 0 info "$data/people.csv" --json
is_json rows header columns kind missing categories min mean max malformed

run 6 info nowhere
run 6 convert nowhere x.npy
: >empty
run 3 info empty
printf '\001\002\000\003' >noise
run 3 info noise
has err "known:"
head -c 12 six.idx >cut.idx
run 3 info cut.idx
run 3 convert "$data/people.csv" x.npy
printf 'a,b\n1,2\n3\n' >ragged.csv
run 0 info ragged.csv
has err "line 3: expected 2 fields, got 1"
run 3 info ragged.csv --strict
has err "line 3"
done_testing
