# SPDX-License-Identifier: MIT
#
# plot.sh - pictures are well-formed, hold every series, and refuse what cannot be drawn.
. "$(dirname "$0")/common.sh"

well_formed()
{
	checks=$((checks + 1))
	if command -v xmllint >/dev/null; then
		xmllint --noout "$1" 2>err || wrong "not well-formed"
	fi
	lacks "$1" nan
	lacks "$1" inf
}
count()
{
	grep -o "$2" "$1" | wc -l | tr -d ' '
}

cat >history.csv <<'END'
epoch,accuracy,loss,val_accuracy,val_loss,learning_rate
0,0.5,1.25,0.52,1.1,0.001
1,0.7,0.75,0.66,0.8,0.001
2,0.8,0.5,0.7,,0.001
3,0.85,0.4,0.71,0.72,0.0005
END
run 0 plot history.csv -o curves.svg
well_formed curves.svg
has curves.svg ">accuracy<"
has curves.svg ">loss<"
has curves.svg ">learning_rate<"
lacks curves.svg ">val_loss<"
has curves.svg "prefers-color-scheme:dark"
has curves.svg ">training<"
has curves.svg ">validation<"
[ "$(count curves.svg 'class="train curve"')" = 4 ] || wrong "expected 3 training curves and a legend"
[ "$(count curves.svg 'class="validation curve"')" = 3 ] || wrong "expected 2 validation curves"
[ "$(count curves.svg '<circle')" = 19 ] || wrong "expected 19 points"
run 0 plot history.csv
cmp -s out curves.svg || wrong "standard output and the file differ"
run 0 plot history.csv -o curves.svg --json --title 'a <title> & "more"' --theme dark --log
is_json input output panels
well_formed curves.svg
lacks curves.svg prefers-color-scheme

printf 'loss\n1\n1\n1\n' >flat.csv
run 0 plot flat.csv -o flat.svg
well_formed flat.svg
printf 'epoch,loss\n5,0.25\n' >one.csv
run 0 plot one.csv -o one.svg
well_formed one.svg
printf 'epoch,loss\n0,-1\n1,-2\n2,1e300\n3,0\n' >wild.csv
run 0 plot wild.csv --log -o wild.svg
well_formed wild.svg
run 0 plot wild.csv -o wild.svg
well_formed wild.svg

printf 'true,predicted\ncat,cat\ncat,dog\ndog,dog\ndog,dog\n<b>,cat\n' >labels.csv
run 0 plot --confusion labels.csv -o confusion.svg
well_formed confusion.svg
has confusion.svg "5 rows, 3 classes, accuracy 0.6000"
has confusion.svg "cat taken for dog: 1 of 2"
has confusion.svg "&lt;b&gt;"
[ "$(count confusion.svg 'class="cell"')" = 9 ] || wrong "expected 9 cells"

# the graph of a model: a text for Graphviz always, a picture if its program is there
k=$source/tests/fixtures/keras_files
run 0 plot "$k/functional.keras" -o graph.dot
has graph.dot "digraph"
has graph.dot "Output shape"
has graph.dot " -> "
run 0 plot "$k/nested_before.keras" -o nested.dot --types --across --json
is_json input output layers
has nested.dot "subgraph"
has nested.dot "rankdir=LR"
has nested.dot "trainable"
run 0 plot "$k/nested_before.keras" -o closed.dot --closed
lacks closed.dot "subgraph"
if command -v dot >/dev/null; then
	run 0 plot "$k/nested_before.keras" -o graph.svg
	well_formed graph.svg
	has graph.svg "<svg"
else
	run 2 plot "$k/nested_before.keras" -o graph.svg
	has err "Graphviz's program dot, which is not installed"
fi
run 2 plot "$k/functional.keras"
has err "expected -o FILE.svg"
run 2 plot "$k/functional.keras" -o graph.txt
run 2 plot "$k/functional.keras" -o graph.dot --log
has err "--log does not go with a model in a file"
run 2 plot history.csv -o curves.svg --types
run 6 plot nowhere.keras -o graph.dot

run 6 plot nowhere.csv
run 6 plot history.csv -o no/such/folder/x.svg
printf 'name\nx\ny\n' >text.csv
run 3 plot text.csv
run 3 plot --confusion text.csv
: >empty.csv
run 3 plot empty.csv
[ -e /dev/full ] && { "$nacre" plot history.csv >/dev/full 2>err; [ $? = 6 ] || wrong "a full disk"; }
done_testing
