# SPDX-License-Identifier: MIT
#
# explain.sh - nacre explain: the sheet's size and colours, by a network whose saliency is known; the
# class and the layer that are meant; what is refused.
. "$(dirname "$0")/common.sh"

# pixel FILE X Y: of a binary PPM of 255
pixel()
{
	w=$(sed -n 2p "$1" | cut -d ' ' -f 1)
	h=$(sed -n 2p "$1" | cut -d ' ' -f 2)
	tail -c $((w * h * 3)) "$1" | tail -c +$((($3 * w + $2) * 3 + 1)) | head -c 3 | od -An -tu1 | tr -s ' '
}

# is FILE X Y "R G B" WHAT
is()
{
	checks=$((checks + 1))
	[ "$(pixel "$1" "$2" "$3")" = " $4" ] || wrong "$5: expected $4, got$(pixel "$1" "$2" "$3")"
}

# 32 x 24, the left half black, the right one white; and the other way round
halves()
{
	printf 'P6\n24 32\n255\n'
	i=0
	while [ $i -lt 32 ]; do
		for k in 1 2 3 4 5 6 7 8 9 10 11 12; do printf "$1"; done
		for k in 1 2 3 4 5 6 7 8 9 10 11 12; do printf "$2"; done
		i=$((i + 1))
	done
}
halves '\000\000\000' '\377\377\377' >right.ppm
halves '\377\377\377' '\000\000\000' >left.ppm

# relu(x), its mean m, classes m and -m
printf '\000\000\200\077\000\000\000\000\000\000\200\077\000\000\200\277\000\000\000\000\000\000\000\000' >w.bin
cat >model.json <<'END'
{"format": "layers-model", "modelTopology": {"class_name": "Sequential", "config": {"name": "m",
"layers": [{"class_name": "Conv2D", "config": {"name": "conv", "filters": 1, "kernel_size": [1, 1],
"activation": "relu", "use_bias": true, "batch_input_shape": [null, 8, 6, 1]}}, {"class_name":
"GlobalAveragePooling2D", "config": {"name": "mean"}}, {"class_name": "Dense", "config": {"name":
"dense", "units": 2, "activation": "softmax", "use_bias": true}}]}}, "weightsManifest": [{"paths":
["w.bin"], "weights": [{"name": "conv/kernel", "shape": [1, 1, 1, 1], "dtype": "float32"}, {"name":
"conv/bias", "shape": [1], "dtype": "float32"}, {"name": "dense/kernel", "shape": [1, 2], "dtype":
"float32"}, {"name": "dense/bias", "shape": [2], "dtype": "float32"}]}]}
END

# cells of 224 x 168, 4 apart, the picture and four methods
run 0 explain model.json right.ppm -o sheet.ppm
has out "sheet.ppm: the picture, gradient, smooth_grad, integrated_gradients, grad_cam"
has out "right.ppm: class 0, 0.7311"
has out "integrated_gradients: 0.5000 of a difference of 0.5000"
[ -s err ] && wrong "a warning without a reason"
head -c 15 sheet.ppm | tr '\n' ' ' | grep -q '^P6 864 232 255' || wrong "the sheet is not 232 x 864"
[ "$(wc -c <sheet.ppm)" -eq $((15 + 864 * 232 * 3)) ] || wrong "the sheet has another size"
is sheet.ppm 1 1 "255 255 255" "the margin"
is sheet.ppm 10 100 "0 0 0" "the picture on its left"
is sheet.ppm 160 100 "255 255 255" "the picture on its right"
# seven parts of the darkest or the brightest colour over three of the picture
is sheet.ppm 182 100 "0 0 3" "the gradient on its left"
is sheet.ppm 332 100 "253 255 191" "the gradient on its right"
is sheet.ppm 526 100 "0 0 3" "the integrated gradient on its left"
is sheet.ppm 676 100 "253 255 191" "the integrated gradient on its right"
is sheet.ppm 698 100 "0 0 3" "grad_cam on its left"
is sheet.ppm 848 100 "253 255 191" "grad_cam on its right"

# what speaks against a class is dark
run 0 explain model.json right.ppm -o against.ppm -c 1 -m grad_cam
has out "right.ppm: class 1, 0.2689"
is against.ppm 332 100 "77 77 79" "grad_cam of the other class"

# a line for each picture; more and less of the colours
run 0 explain model.json right.ppm left.ppm -o two.ppm -m integrated_gradients --steps 3 --opacity 1 --json
is_json output height width methods pictures file number class predicted attributed difference
has out '"height": 460'
has out '"width": 348'
has out '"integrated_gradients"'
lacks out grad_cam
is two.ppm 332 100 "252 255 164" "the first line on its right"
is two.ppm 182 328 "252 255 164" "the second line on its left"
is two.ppm 332 328 "0 0 4" "the second line on its right"

# the same seed gives the same sheet, another one another; PNG is written too
run 0 explain model.json right.ppm -o a.ppm -m smooth_grad --samples 2 --noise 1 --seed 3 -q
[ -s out ] && wrong "--quiet is not quiet"
run 0 explain model.json right.ppm -o b.ppm -m smooth_grad --samples 2 --noise 1 --seed 3 --threads 3
cmp -s a.ppm b.ppm || wrong "two sheets of one seed differ"
run 0 explain model.json right.ppm -o b.ppm -m smooth_grad --samples 2 --noise 1 --seed 4
cmp -s a.ppm b.ppm && wrong "two sheets of two seeds are the same"
"$nacre" --version >out
if grep -q "libpng: yes" out; then
	run 0 explain model.json right.ppm -o sheet.png -m gradient
	run 0 info sheet.png
	has out "PNG, 232 x 348 (height x width), RGB, 8 bits"
fi

# relu(x - 0.5): one step, from black to white, is looked at where it begins to rise
printf '\000\000\200\077\000\000\000\277\000\000\200\077\000\000\200\277\000\000\000\000\000\000\000\000' >late.bin
sed 's/w.bin/late.bin/' model.json >late.json
run 0 explain late.json right.ppm -o late.ppm --steps 1
has err "right.ppm: integrated_gradients explains 0 of a difference of 0.25: more --steps than 1"
run 0 explain late.json right.ppm -o late.ppm --steps 100
[ -s err ] && wrong "a warning without a reason"

# classes with names, in a model around another one
mkdir -p photos/dark photos/light
for i in 1 2 3 4 5 6 7 8 9; do
	halves "\\00$((i % 8))\\000\\000" '\000\000\000' >photos/dark/$i.ppm
	halves "\\37$((i % 8))\\377\\377" '\377\377\377' >photos/light/$i.ppm
done
run 0 train photos --from model.json -e 2 --seed 1 -o named.keras -q
run 0 explain named.keras right.ppm -o named.ppm --class light --json
has out '"class": "light"'
has out '"number": 1'
run 0 explain named.keras right.ppm -o again.ppm --class 1 --layer conv
cmp -s named.ppm again.ppm || wrong "the class by number, or the layer by name, is another"
run 2 explain named.keras right.ppm -o x.ppm --class ligth
has err 'expected the name of a class or a number from 0 to 1, got "ligth"'
has err "did you mean light?"
run 2 explain model.json right.ppm -o x.ppm --class light
has err 'expected a number from 0 to 1, got "light"'

# pictures that cannot be read are named, the others drawn
echo nothing >broken.png
run 3 explain model.json broken.png right.ppm -o some.ppm -m gradient
has err broken.png
has out right.ppm
[ -f some.ppm ] || wrong "the good picture was not drawn"
run 3 explain model.json broken.png -o none.ppm
[ -f none.ppm ] && wrong "a sheet of nothing was drawn"
run 6 explain model.json nowhere.png -o none.ppm

run 2 explain model.json right.ppm
has err "expected -o FILE.png"
run 2 explain model.json right.ppm -o -
run 2 explain model.json -o x.ppm
run 2 explain model.json right.ppm -o x.gif
run 2 explain model.json right.ppm -o x.ppm -m gradcam
run 2 explain model.json right.ppm -o x.ppm --layer nowhere
has err 'there is no layer "nowhere"'
run 2 explain model.json right.ppm -o x.ppm -m grad_cam --layer dense
has err "grad_cam needs a layer that gives [height, width, channels]"
run 0 train photos --model linear --size 4 -e 1 -o flat.keras -q
run 2 explain flat.keras right.ppm -o x.ppm
has err "of more than one place"
has err "-m gradient"
run 0 explain flat.keras right.ppm -o x.ppm -m gradient
run 4 explain "$source/tests/fixtures/keras_files/functional.keras" right.ppm -o x.ppm
has err "expected a model of one input [height, width, 1, 3 or 4 channels]"
run 6 explain nowhere.keras right.ppm -o x.ppm
done_testing
