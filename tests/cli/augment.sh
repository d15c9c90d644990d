# SPDX-License-Identifier: MIT
#
# augment.sh - sheets of augmented pictures: their size, what they hold, what is refused.

. "$(dirname "$0")/common.sh"

# 2 x 2 blocks of colours, as a binary PPM
{
	printf 'P6\n64 48\n255\n'
	i=0
	while [ $i -lt 48 ]; do
		if [ $i -lt 24 ]; then a='\377\000\000' b='\000\377\000'; else a='\000\000\377' b='\377\377\000'; fi
		k=0
		line=
		while [ $k -lt 32 ]; do line="$line$a"; k=$((k + 1)); done
		while [ $k -lt 64 ]; do line="$line$b"; k=$((k + 1)); done
		printf "$line"
		i=$((i + 1))
	done
} > blocks.ppm

# 16 cells of 32 + 4 and a margin of 4: 148 x 148
run 0 plot --augment random_flip,RandomRotation:0.1 blocks.ppm -o sheet.ppm --size 32
head -c 15 sheet.ppm | tr '\n' ' ' | grep -q '^P6 148 148 255' || wrong "the sheet is not 148 x 148"
[ "$(wc -c < sheet.ppm)" -eq $((15 + 148 * 148 * 3)) ] || wrong "the sheet has another size"

# the same seed draws the same sheet, another one another
run 0 plot --augment random_flip,RandomRotation:0.1 blocks.ppm -o again.ppm --size 32
cmp -s sheet.ppm again.ppm || wrong "two sheets of one seed differ"
run 0 plot --augment random_flip,RandomRotation:0.1 blocks.ppm -o other.ppm --size 32 --seed 3
cmp -s sheet.ppm other.ppm && wrong "two sheets of two seeds are the same"

# a margin is white, and the first picture is the original: red at its first corner
pixel() # FILE SIDE X Y: of a square sheet
{
	tail -c $(($2 * $2 * 3)) "$1" | tail -c +$((($4 * $2 + $3) * 3 + 1)) | head -c 3 |
		od -An -tu1 | tr -s ' '
}
[ "$(pixel sheet.ppm 148 1 1)" = " 255 255 255" ] || wrong "the margin is not white"
[ "$(pixel sheet.ppm 148 6 6)" = " 255 0 0" ] || wrong "the picture is not red at its corner"

# flips keep colours: every cell has a corner that is one of the four
run 0 plot --augment random_flip:2 blocks.ppm -o flips.ppm --size 32 --samples 3
x=6
for y in 6 42; do
	case "$(pixel flips.ppm 76 $x $y)" in
	" 255 0 0" | " 255 255 0") ;;
	*) wrong "a flip changed a colour" ;;
	esac
done

# several pictures: a line each, and mixtures of them
run 0 plot --augment mix_up,cut_mix blocks.ppm sheet.ppm -o mixed.ppm --size 16 --samples 4 --json
grep -q '"height": 44' out || wrong "two lines of 16 + 4 and a margin of 4 are not 44"
grep -q '"width": 104' out || wrong "five columns of 16 + 4 and a margin of 4 are not 104"

all=random_flip,random_rotation,random_translation,random_zoom,random_shear,random_brightness
all=$all,random_contrast,random_saturation,random_hue,random_color_jitter
all=$all,random_color_degeneration,random_grayscale,random_sharpness,random_posterization
all=$all,random_invert,random_gaussian_blur,solarization,auto_contrast,equalization
all=$all,random_erasing,mix_up,cut_mix,rand_augment
run 0 plot --augment $all blocks.ppm -o all.ppm --size 24 --samples 2

run 2 plot --augment random_flop blocks.ppm -o x.ppm
grep -q 'did you mean random_flip' err || wrong "no suggestion"
run 2 plot --augment random_zoom:much blocks.ppm -o x.ppm
run 2 plot --augment random_zoom:7 blocks.ppm -o x.ppm
run 2 plot --augment random_flip blocks.ppm
run 2 plot --augment random_flip blocks.ppm -o x.ppm --log
run 2 plot blocks.csv more.csv -o x.svg
run 6 plot --augment random_flip nothing.ppm -o x.ppm
done_testing
