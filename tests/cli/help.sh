# SPDX-License-Identifier: MIT
#
# help.sh - help, manual page and completion say the same, and wrong words are answered.
. "$(dirname "$0")/common.sh"

run 0 --version
has out "nacre "
has out "kernels: "
has out "zlib: "
run 0 --version --json
is_json version kernels threads zlib

run 0 --help
cp out usage
run 0 help
cmp -s out usage || wrong "nacre help and nacre --help differ"
run 0 help --json
is_json commands options default
run 0 help --man
cp out man
run 0 help --bash
cp out bash
if command -v bash >/dev/null; then bash -n bash || wrong "the completion is no shell"; fi
if command -v man >/dev/null && command -v groff >/dev/null; then
	man --warnings -l ./man >/dev/null 2>err
	[ -s err ] && wrong "man warns"
fi

commands="train evaluate predict summary convert plot explain info help"
sed 's/\\-/-/g' man >man.plain
for c in $commands; do
	run 0 "$c" --help
	cp out text
	has text "usage: nacre $c"
	has usage "$c"
	has man.plain "nacre $c"
	for option in $(grep -oE '^ +(-[a-z], )?--[a-z-]+' text | grep -oE -e '--[a-z-]+'); do
		has man.plain "$option"
		checks=$((checks + 1))
		grep -q "^.$c) options=.*$option[ \"]" bash || wrong "$c $option is not completed"
	done
	run 0 help "$c"
	cmp -s out text || wrong "help $c and $c --help differ"
	awk 'length($0) > 79 { exit 1 }' text || wrong "a line of the help is too long"
done

# what was built beside the command is what it prints
for kind in man bash; do
	if [ -f "$(dirname "$nacre")/nacre.$kind" ]; then
		cmp -s "$(dirname "$nacre")/nacre.$kind" $kind || wrong "nacre.$kind is old"
	fi
done

# completion at work
if command -v bash >/dev/null; then
	last=completion
	bash -c '. ./bash; COMP_WORDS=(nacre tr); COMP_CWORD=1; _nacre; echo "${COMPREPLY[*]}"
		COMP_WORDS=(nacre train --tas); COMP_CWORD=2; _nacre; echo "${COMPREPLY[*]}"
		COMP_WORDS=(nacre train --task re); COMP_CWORD=3; _nacre; echo "${COMPREPLY[*]}"' >out
	[ "$(tr '\n' ' ' <out)" = "train --task regression " ] || wrong "completed wrongly"
fi

run 2
run 2 trian
has err "did you mean nacre train?"
run 2 nothing-like-it
has err "nacre help lists the commands"
run 2 help trian
run 2 train --traget x t.csv
has err 'there is no option "--traget"'
has err "did you mean --target?"
run 2 train -Z
run 2 train --task=clasification t.csv
has err "auto|regression|classification"
run 2 train --epochs ten t.csv
has err "a whole number from 1"
run 2 train --epochs 0 t.csv
run 2 train --test 1.5 t.csv
run 2 train --target
has err "needs a value"
run 2 train --json=yes t.csv
run 2 train
has err "TABLE.csv"
run 2 info a b
run 2 summary
NACRE_THREADS=many "$nacre" info x >out 2>err
[ $? = 2 ] || wrong "a wrong NACRE_THREADS is not refused"
done_testing
