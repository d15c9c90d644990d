# SPDX-License-Identifier: MIT
#
# models.sh - models in files of Keras and arrays: predict, summary, info, convert, train, evaluate.
. "$(dirname "$0")/common.sh"
k=$source/tests/fixtures/keras_files
eps=1e-4

# same A.npy B.npy: of one shape, and numbers that differ by at most eps; a model that is wrong by
# more shows in evaluate's loss as well
same()
{
	checks=$((checks + 1))
	"$nacre" info "$1" --json | grep -v '"file"\|"dtype"\|"bytes"' >a.info
	"$nacre" info "$2" --json | grep -v '"file"\|"dtype"\|"bytes"' >b.info
	cmp -s a.info b.info || wrong "$1 and $2 differ in shape"
	floats "$1" >a.txt
	floats "$2" >b.txt
	paste a.txt b.txt | awk -v eps=$eps '{ d = $1 - $2; if (d < 0) d = -d; if (!(d <= eps)) bad = 1 }
		END { exit bad || !NR }' || wrong "$1 and $2 differ"
}

# floats A.npy: its numbers of f32, a line each
floats()
{
	skip=$(($(od -An -tu2 -j8 -N2 "$1") + 10))
	od -An -v -tfF -w4 -j$skip "$1" | tr -d ' '
}

# near NUMBER NUMBER
near()
{
	checks=$((checks + 1))
	awk -v a="$1" -v b="$2" -v eps=$eps 'BEGIN { d = a - b; exit !(d <= eps && d >= -eps && a != "") }' ||
		wrong "expected $2, got $1"
}

# -- TensorFlow.js
mkdir tfjs
printf '\000\001\002\003\000\074\000\300' >tfjs/w.bin
cat >tfjs/model.json <<'END'
{"format": "layers-model", "modelTopology": {"class_name": "Sequential", "config": {"name": "m",
"layers": [{"class_name": "Dense", "config": {"name": "dense", "units": 2, "activation": "linear",
"use_bias": true, "batch_input_shape": [null, 2]}}]}}, "weightsManifest": [{"paths": ["w.bin"],
"weights": [{"name": "dense/kernel", "shape": [2, 2], "dtype": "float32", "quantization":
{"dtype": "uint8", "scale": 0.5, "min": -1}}, {"name": "dense/bias", "shape": [2], "dtype":
"float32", "quantization": {"dtype": "float16"}}]}]}
END
run 0 info tfjs/model.json
has out "dense"
run 0 info tfjs/model.json --json
has out '"format": "tfjs"'
run 0 convert tfjs/model.json tfjs.keras
has out "6 parameters"
run 0 summary tfjs.keras
has out "Total params"
sed 's/"w.bin"/"..\/w.bin"/' tfjs/model.json >up.model.json
run 4 info up.model.json
has err "beside it"

# -- predict
run 0 predict "$k/sequential.keras" "$k/sequential_x.npy" -o y.npy
same y.npy "$k/sequential_y.npy"
run 0 predict "$k/sequential.h5" "$k/sequential_x.npy" -o old.npy
same old.npy "$k/sequential_y.npy"
run 0 predict "$k/embedding.keras" "$k/embedding_x.npy" -o e.npy
same e.npy "$k/embedding_y.npy"
run 0 predict "$k/functional.keras" "$k/functional_b.npy" "$k/functional_a.npy" -o f.npy
same f_0.npy "$k/functional_y.npy"
same f_1.npy "$k/functional_z.npy"
[ -e f.npy ] && wrong "f.npy is there beside f_0.npy"

run 4 predict "$k/lambda.keras" "$k/sequential_x.npy" -o y.npy
has err "Lambda"
run 3 predict "$k/sequential.keras" "$k/functional_a.npy" -o no.npy
run 3 predict "$k/functional.keras" "$k/functional_b.npy" -o no.npy
has err "2 inputs"
run 3 predict "$k/sequential.keras" "$data/people.csv" -o no.npy
run 3 predict "$k/functional.keras" "$k/functional_b.npy" "$k/sequential_x.npy" -o no.npy
has err "samples"
run 6 predict "$k/sequential.keras" nowhere.npy -o no.npy
run 6 predict nowhere.keras "$k/sequential_x.npy" -o no.npy
run 2 predict "$k/sequential.keras" "$k/sequential_x.npy"
has err "--output Y.npy"
run 2 predict "$k/sequential.keras" "$k/sequential_x.npy" -o no.npy --keep
has err "--keep"
[ -e no.npy ] && wrong "a file was written in spite of an error"
head -c 900 "$k/sequential.keras" >cut.keras
run 4 predict cut.keras "$k/sequential_x.npy" -o no.npy

# -- summary, info
run 0 summary "$k/sequential.keras"
has out "Total params: 167"
has out "Trainable params: 151"
has out "Non-trainable params: 16"
lacks out "Optimizer"
run 0 summary "$k/sequential.keras" --json
is_json file format model layers name class outputs parameters compiled trainable_parameters \
	non_trainable_parameters flops
has out '"trainable_parameters": 151'
has out '"non_trainable_parameters": 16'
above "$(sed -n 's/.*"flops": //p' out | tr -d ,)" 150
run 0 info "$k/sequential.keras"
has out "LayerNormalization"
has out "0 steps so far, learning rate 0.01"
run 0 info "$k/functional.keras"
has out "not compiled"
run 0 info "$k/adam_before.keras" --json
is_json file format parameters compiled iterations learning_rate
run 4 info "$k/lambda.keras"
has err "Lambda"
run 4 summary "$k/sequential.weights.h5"

# -- convert: the same numbers by all ways, and the same bytes again
run 0 convert "$k/sequential.keras" again.keras
run 0 convert again.keras twice.keras -q
[ -s out ] && wrong "--quiet is not quiet"
cmp -s again.keras twice.keras || wrong "the same model gave other bytes"
run 0 predict again.keras "$k/sequential_x.npy" -o z.npy
cmp -s y.npy z.npy || wrong "the converted model predicts something else"
for format in weights.h5 safetensors; do
	run 0 convert "$k/sequential.keras" "one.$format" --json
	is_json input output parameters
	run 0 convert again.keras "two.$format"
	cmp -s "one.$format" "two.$format" || wrong "$format: not bit for bit"
done
run 0 convert "$k/sequential.h5" new.keras
run 0 predict new.keras "$k/sequential_x.npy" -o z.npy
same z.npy "$k/sequential_y.npy"
run 0 convert "$k/adam_after.keras" a.keras
run 0 info a.keras
has out "12 steps"
run 2 convert "$k/sequential.keras" out.h5
has err ".weights.h5"
run 2 convert "$k/sequential.keras" out.keras --tensor x
run 4 convert "$k/lambda.keras" out.keras

# -- train: on from where the file left off, as Keras did
x=$k/sequential_x.npy
t=$k/targets.npy
for o in adam sgd rmsprop nested; do
	run 0 train "$k/${o}_before.keras" --x "$x" --y "$t" --epochs 2 --batch-size 8 --no-shuffle \
		--csv-log h.csv -o "$o.keras" -q
	has h.csv "epoch,accuracy,loss"
	[ "$(wc -l <h.csv)" = 3 ] || wrong "expected a header and 2 epochs"
	column=$(head -n 1 h.csv | tr ',' '\n' | grep -n '^loss' | cut -d: -f1)
	skip=$(($(od -An -tu2 -j8 -N2 "$k/${o}_loss.npy") + 10))
	near "$(tail -n 1 h.csv | cut -d, -f"$column" | tr -d '\r')" \
		"$(od -An -v -tfD -w8 -j$skip "$k/${o}_loss.npy" | tail -n +2 | head -n 1 | tr -d ' ')"
	run 0 predict "$o.keras" "$x" -o got.npy
	run 0 predict "$k/${o}_after.keras" "$x" -o want.npy
	same got.npy want.npy
done
run 0 info adam.keras
has out "12 steps"
# equal seeds give equal files, others another order of the samples
for seed in 3 3 4; do
	run 0 train "$k/adam_before.keras" --x "$x" --y "$t" --epochs 2 -b 4 --seed $seed -q \
		-o "s$seed.keras"
	run 0 predict "s$seed.keras" "$x" -o "s$seed.npy"
	[ -e first.npy ] || cp s3.npy first.npy
done
cmp -s first.npy s3.npy || wrong "equal seeds gave other models"
cmp -s s3.npy s4.npy && wrong "--seed changes nothing"
run 0 train "$k/adam_before.keras" --x "$x" --y "$t" -o one.keras --json
is_json model output samples epochs iterations history loss accuracy
run 0 train one.keras --x "$x" --y "$t" -o one.keras --epochs 2
has out "saved one.keras"

# npy SHAPE N BYTES: an array of f32, N times that number
npy()
{
	printf '\223NUMPY\001\000\166\000'
	printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': ($1), }"
	for i in $(seq "$2"); do printf '%b' "$3"; done
}
npy 20, 20 '\0000\0000\0200\0077' >weights.npy
npy 5, 5 '\0000\0000\0200\0077' >ones.npy
npy '20, 5' 100 '\0000\0000\0300\0177' >nan.npy
run 0 info weights.npy
has out "f32 [20], 80 bytes"
# a weight of 1 changes nothing
run 0 train "$k/adam_before.keras" --x "$x" --y "$t" --no-shuffle -o plain.keras -q
run 0 train "$k/adam_before.keras" --x "$x" --y "$t" --no-shuffle -o weighted.keras -q \
	--sample-weight weights.npy
run 0 predict plain.keras "$x" -o want.npy
run 0 predict weighted.keras "$x" -o got.npy
same got.npy want.npy
run 7 train "$k/adam_before.keras" --x nan.npy --y "$t" -o no.keras -q
run 3 train "$k/adam_before.keras" --x "$x" --y "$t" --sample-weight ones.npy -o no.keras
run 2 train "$k/adam_before.keras" --x "$x" -o no.keras
has err "--y Y.npy"
run 2 train "$k/adam_before.keras" --y "$t" -o no.keras
has err "--x X.npy"
run 2 train "$k/adam_before.keras" --x "$x" --y "$t"
has err "--output"
run 2 train "$k/adam_before.keras" --x "$x" --y "$t" --target 1 -o no.keras
has err "--target"
run 2 train "$k/adam_before.keras" --x "$x" --y "$t" --learning-rate 0.002 -o no.keras
has err "--learning-rate does not go with a model in a file"
run 2 train "$k/adam_before.keras" --x "$x" --y "$t" -o no.bin
has err ".weights.h5"
run 3 train "$k/adam_before.keras" --x "$x" --y "$x" -o no.keras
run 3 train "$k/adam_before.keras" --x "$x" --x "$x" --y "$t" -o no.keras
run 3 train "$k/adam_before.keras" --x "$k/functional_a.npy" --y "$t" -o no.keras
has err "samples"
run 4 train "$k/functional.keras" --x "$k/functional_b.npy" --x "$k/functional_a.npy" \
	--y "$k/functional_y.npy" --y "$k/functional_z.npy" -o no.keras
has err "not compiled"
run 4 train "$k/lambda.keras" --x "$x" --y "$t" -o no.keras
has err "Lambda"
[ -e no.keras ] && wrong "a model was written in spite of an error"
run 2 train "$data/people.csv" --target member --x "$x"
has err "--x does not go with a table"
run 2 train "$data/people.csv" --target member --csv-log h.csv

# -- evaluate
run 0 evaluate "$k/adam_after.keras" --x "$x" --y "$t"
has out "20 samples"
loss=$(number out loss)
run 0 evaluate adam.keras --x "$x" --y "$t"
near "$(number out loss)" "$loss"
run 0 evaluate adam.keras --x "$x" --y "$t" --json
is_json model samples score loss accuracy
run 2 evaluate adam.keras --x "$x"
has err "--y Y.npy"
run 2 evaluate adam.keras "$x"
run 3 evaluate adam.keras --x "$x" --y "$x"
run 2 evaluate adam.keras --x "$x" --y "$t" --labels l.csv
done_testing
