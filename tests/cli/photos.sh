# SPDX-License-Identifier: MIT
#
# photos.sh - nacre info, train and predict on pictures.
. "$(dirname "$0")/common.sh"

# picture FILE R G B: 6 x 5, of about one colour
picture()
{
	{
		printf 'P3 6 5 255\n'
		for k in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
			echo "$(($2 + k % 7)) $(($3 + k % 5)) $(($4 + k % 3))"
		done
	} >"$1"
}
mkdir -p photos/red photos/green photos/blue
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	picture photos/red/$i.ppm $((150 + i * 5)) $((i * 4)) 10
	picture photos/green/$i.ppm 10 $((150 + i * 5)) $((i * 4))
	picture photos/blue/$i.ppm $((i * 4)) 10 $((150 + i * 5))
done

run 0 info photos/red/1.ppm
has out "PNM, 5 x 6 (height x width), RGB, 8 bits"
run 0 info photos/red/1.ppm --json
is_json file format height width channels bits orientation
run 0 --version
has out "libpng:"
has out "libjpeg:"

run 0 train photos -e 40 --size 4 --seed 1 -o colours.keras
has out "36 photos of 3 classes, 4 x 4"
has out "images/s"
above "$(number out accuracy)" 0.9
run 0 train photos/ -e 2 --size 4 --json
is_json folder model classes photos train validation test left_out epochs accuracy
[ -f photos.keras ] || wrong "photos.keras was not written"

run 0 predict colours.keras photos/red/3.ppm photos/blue/4.ppm
[ "$(sed -n '2s/ *\([a-z]*\).*/\1/p' out)" = red ] || wrong "the first is red"
[ "$(sed -n '6s/ *\([a-z]*\).*/\1/p' out)" = blue ] || wrong "the second is blue"
run 0 predict colours.keras photos/green/3.ppm --top 1 --json
is_json predictions file classes class probability
has out green
lacks out blue
run 0 predict colours.keras photos/green/3.ppm -o answers.csv
head -n 2 answers.csv >out
has out "file,class,probability"
has out "photos/green/3.ppm,green,"

# what cannot be read is named, the rest is answered
echo nothing >broken.jpg
run 3 predict colours.keras broken.jpg photos/red/1.ppm
has err "broken.jpg"
has out "photos/red/1.ppm"
run 6 predict colours.keras nowhere.png
run 2 predict colours.keras photos/red/1.ppm --keep

# a model from a file goes on, with its own size
run 0 train photos --model colours.keras -e 1 -o more.keras
has out "4 x 4"
run 2 train photos --model colours.keras --size 8 -o more.keras
has err "takes 4 x 4"
mkdir -p two/a two/b
cp photos/red/*.ppm two/a
cp photos/blue/*.ppm two/b
run 3 train two --model colours.keras -o x.keras
has err "tells 3 classes apart, two has 2"
run 0 train two --model linear -e 2 --pixels 0..255 -q
[ -s out ] && wrong "--quiet is not quiet"

# a new head for a network of other classes, whose body stays as it is
run 0 train two --from colours.keras -e 60 --seed 1 -o head.keras
has out "24 photos of 2 classes, 4 x 4"
above "$(number out accuracy)" 0.9
run 0 predict head.keras photos/red/3.ppm photos/blue/4.ppm
[ "$(sed -n '2s/ *\([a-z]*\).*/\1/p' out)" = a ] || wrong "the first is a"
[ "$(sed -n '5s/ *\([a-z]*\).*/\1/p' out)" = b ] || wrong "the second is b"
run 0 train two --from head.keras -e 2 -o again.keras --json
is_json folder model classes photos test accuracy
has out '"epochs": 2,'
# then all of it is trained further, and the history goes on
run 0 train two --from colours.keras -e 2 --fine-tune 30 --seed 1 --history h.csv -o tuned.keras
above "$(number out accuracy)" 0.9
cut -d , -f 1 h.csv | tail -n 2 | tr '\n' ' ' >out
has out "30 31 "
[ "$(grep -c epoch h.csv)" = 1 ] || wrong "the history has one header"
run 0 predict tuned.keras photos/red/3.ppm photos/blue/4.ppm
[ "$(sed -n '2s/ *\([a-z]*\).*/\1/p' out)" = a ] || wrong "the first is a"
run 0 summary tuned.keras --json
has out '"non_trainable_parameters": 0'
run 0 train two --from colours.keras -e 2 --fine-tune 3 --seed 1 -o tuned.keras --json
has out '"epochs": 5,'
cp tuned.keras same.keras
run 0 train two --from colours.keras -e 2 --fine-tune 3 --seed 1 -o tuned.keras -q
cmp -s tuned.keras same.keras || wrong "equal seeds give equal models"
run 2 train two --fine-tune 3 -o x.keras
has err "expected --from"
run 2 train "$data/people.csv" --target -1 --fine-tune 3
run 2 train two --from colours.keras --model linear -o x.keras
has err "--from and --model"
run 2 train two --from colours.keras --size 8 -o x.keras
has err "takes 4 x 4"
run 6 train two --from nowhere.keras -o x.keras
run 2 train "$data/people.csv" --target -1 --from colours.keras

# bad files
: >two/a/empty.png
echo text >two/a/notes.txt
run 3 train two -e 1
has err "two/a/empty.png"
has err "--skip-bad"
run 0 train two -e 1 --skip-bad
has err "two/a/empty.png"
has err "two/a/notes.txt"
mkdir one
mkdir one/a
cp two/a/1.ppm one/a
run 3 train one
run 3 train photos/red
has err "a folder for each class"
run 2 train photos -o colours.onnx
run 2 train photos --target x
run 2 train "$data/people.csv" --target -1 --size 3
run 2 predict colours.keras x.npy
done_testing
