# SPDX-License-Identifier: MIT
#
# examples.sh PROGRAM ARGUMENT...: an example that trains on few samples must come to its end, in a
# folder of its own, with an accuracy, or decibels, that no guessing has: the first argument after
# the program.  Sets that are not there: skipped, with 77.
set -u
program=$1
least=$2
shift 2
case ${1-} in
*/model.json) [ -f "$1" ] || { echo "skipped: NACRE_MOBILENET names no folder with model.json"; exit 77; } ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
if ! "$program" "$@" >out 2>err; then
	cat err
	grep -q "no zlib" err && { echo "skipped: the digits are gzipped"; exit 77; }
	grep -q "flowers-small\|cifar10-jpeg\|orl-faces" err && { echo "skipped: script/data unpacks the photos"; exit 77; }
	exit 1
fi
tail -n 1 out
tail -n 1 out | awk -v least="$least" '
	{
		for (i = 1; i < NF; i++)
			if ($i == "accuracy" || $(i + 1) == "dB")
				got = ($i == "accuracy" ? $(i + 1) : $i) + 0
	}
	END { if (got < least) { print "expected at least " least; exit 1 } }'
