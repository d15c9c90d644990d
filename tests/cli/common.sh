# SPDX-License-Identifier: MIT
#
# What the tests of the command share; to be sourced with the arguments of the test:
# NACRE SOURCE-FOLDER JSON-CHECKER.  They run in an empty folder of their own.
set -u
nacre=$1
source=$2
json=$3
data=$source/tests/cli/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
checks=0
failures=0

wrong()
{
	failures=$((failures + 1))
	echo "FAILED: $last"
	echo "  $*"
	sed 's/^/  out: /' out | head -n 20
	sed 's/^/  err: /' err | head -n 20
}

# run CODE ARGUMENT...: the command must end with this code
run()
{
	expected=$1
	shift
	last="nacre $*"
	"$nacre" "$@" >out 2>err </dev/null
	code=$?
	checks=$((checks + 1))
	[ $code = "$expected" ] || wrong "expected exit code $expected, got $code"
	# an error is told on stderr, and success leaves stderr to warnings
	if [ "$expected" != 0 ] && ! [ -s err ]; then wrong "no error text"; fi
}

# has FILE TEXT: it occurs there
has()
{
	checks=$((checks + 1))
	grep -qF -e "$2" "$1" || wrong "expected in $1: $2"
}

lacks()
{
	checks=$((checks + 1))
	if grep -qF -e "$2" "$1"; then wrong "not expected in $1: $2"; fi
}

# is_json KEY...: out is JSON and has these keys somewhere
is_json()
{
	checks=$((checks + 1))
	"$json" "$@" <out 2>>err || wrong "expected JSON with the keys $*"
}

# number FILE WORD: the number behind a word, as in "  accuracy    0.85 ..."
number()
{
	awk -v word="$2" '$1 == word { print $2; exit }' "$1"
}

# above A B: A > B, numbers
above()
{
	checks=$((checks + 1))
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 > b + 0) }' || wrong "expected more than $2, got $1"
}

done_testing()
{
	echo "$checks checks, $failures failed"
	[ $failures = 0 ] && [ $checks -gt 0 ]
}
