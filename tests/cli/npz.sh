# SPDX-License-Identifier: MIT
#
# npz.sh - NPZ at the command: info, convert, and as the arrays of a model.  What is read and written
# is judged by NumPy where there is one (NACRE_PYTHON, or the environment of the peers).
. "$(dirname "$0")/common.sh"
k=$source/tests/fixtures/keras_files
python=
for p in "${NACRE_PYTHON:-}" "$source"/build/peers/*/bin/python python3; do
	[ -n "$p" ] && "$p" -c 'import numpy' 2>/dev/null && python=$p && break
done

run 0 info "$source/fuzz/corpus/npz/ok-folders"
has out "layer/kernel"
has out "f32       [2, 3]"
has out "npz, 2 tensors, 7 numbers"
run 0 info "$source/fuzz/corpus/npz/ok-two" --json
is_json file format tensors name dtype shape bytes
run 0 info "$source/fuzz/corpus/npz/ok-none"
run 3 info "$source/fuzz/corpus/npz/bad-text"
has err 'member "readme.txt" is no array'

# npz -> npy -> npz -> npy
run 2 convert "$source/fuzz/corpus/npz/ok-two" x.npy
has err "holds 2 tensors: expected --tensor NAME"
run 2 convert "$source/fuzz/corpus/npz/ok-two" x.npy --tensor nothing
has err 'no array "nothing" among the 2'
run 0 convert "$source/fuzz/corpus/npz/ok-two" x.npy --tensor x
cmp -s x.npy "$source/fuzz/corpus/npy/ok-f4" || wrong "x of an npz is not what NumPy wrote"
run 0 convert x.npy named.npz --tensor some/x
run 0 info named.npz
has out "some/x"
run 0 convert named.npz again.npy
cmp -s x.npy again.npy || wrong "npy -> npz -> npy changed the file"
run 0 convert x.npy plain.npz
run 0 info plain.npz
has out "arr_0"

# as inputs and targets
run 0 convert "$k/sequential_x.npy" x.npz --tensor samples
run 0 predict "$k/sequential.keras" "$k/sequential_x.npy" -o want.npy
run 0 predict "$k/sequential.keras" x.npz -o y.npy
cmp -s want.npy y.npy || wrong "predictions of x.npz and x.npy differ"
run 0 predict "$k/sequential.keras" x.npz:samples -o y.npz
run 0 convert y.npz y.npy --tensor arr_0
cmp -s want.npy y.npy || wrong "predictions in y.npz and y.npy differ"
run 3 predict "$k/sequential.keras" x.npz:other -o no.npy
has err 'no array "other"'
run 6 predict "$k/sequential.keras" nowhere.npz:x -o no.npy
run 3 predict "$k/sequential.keras" "$source/fuzz/corpus/npz/bad-crc" -o no.npy
run 0 predict "$k/functional.keras" "$k/functional_b.npy" "$k/functional_a.npy" -o both.npz
run 0 info both.npz
has out "npz, 2 tensors"

if [ -n "$python" ]; then
	"$python" - <<'END' >out 2>err || wrong "NumPy made no data"
import numpy
r = numpy.random.default_rng(1)
x = numpy.load("want.npy")
numpy.savez_compressed("theirs.npz", x=r.normal(size=(40, 3)).astype("f4"), y=numpy.arange(40) % 4 == 0,
                       o=numpy.asfortranarray(r.normal(size=(5, 7))), h=r.normal(size=9).astype(">f2"))
END
	for name in x y o h; do
		run 0 convert theirs.npz $name.npy --tensor $name
		run 0 convert $name.npy $name.npz --tensor $name
	done
	checks=$((checks + 1))
	"$python" - <<'END' >out 2>err || wrong "NumPy reads something else"
import numpy
theirs = numpy.load("theirs.npz")
for name in theirs.files:
    ours = numpy.load(name + ".npz")
    assert ours.files == [name], ours.files
    assert ours[name].shape == theirs[name].shape
    assert ours[name].dtype == theirs[name].dtype.newbyteorder("="), ours[name].dtype
    assert ours[name].tobytes() == numpy.ascontiguousarray(theirs[name].astype(ours[name].dtype)).tobytes()
both = numpy.load("both.npz")
assert both.files == ["arr_0", "arr_1"] and both["arr_0"].dtype == "f4"
END
else
	echo "NumPy is not there: its judgement was left out"
fi
done_testing
