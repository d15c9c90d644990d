# SPDX-License-Identifier: MIT
#
# train.sh - a table to a model and back: train, predict, evaluate, summary.
. "$(dirname "$0")/common.sh"
cp "$data/people.csv" .

# -- classes
run 0 train people.csv --target member -o m.safetensors --history history.csv --epochs 60
has out 'target "member": classification, 2 classes'
has out "left out: text"
has out "missing"
above "$(number out accuracy)" 0.7
has history.csv "epoch,loss,accuracy,val_loss,val_accuracy"
run 0 plot history.csv -o curves.svg
run 0 summary m.safetensors
has out "classification of no, yes"
has out "Dense"
run 0 summary m.safetensors --json
is_json task target classes columns layers parameters
run 0 evaluate m.safetensors people.csv --labels labels.csv
above "$(number out accuracy)" 0.75
above "$(number out AUC)" 0.8
has labels.csv "true,predicted"
[ "$(wc -l <labels.csv)" = 241 ] || wrong "expected 241 lines of labels"
run 0 plot --confusion labels.csv -o confusion.svg
run 0 evaluate m.safetensors people.csv --json
is_json score accuracy baseline_accuracy balanced_accuracy auc confusion

# equal seeds, equal models, on any number of threads; other seeds, others
run 0 train people.csv --target member -o again.safetensors --epochs 60 --threads 1 --json
is_json rows train validation test columns left_out parameters epochs accuracy
cmp -s m.safetensors again.safetensors || wrong "equal seeds gave different models"
run 0 train people.csv --target member -o other.safetensors --epochs 5 --seed 2 -q
cmp -s m.safetensors other.safetensors && wrong "different seeds gave equal models"

# -- predict: by name, in another order, with a city and a gap that training did not have
printf 'city,extra,height,age,income\nOslo,1,180,70,3900\nAtlantis,2,,25,1750\n' >new.csv
run 0 predict m.safetensors new.csv
[ "$(wc -l <out)" = 3 ] || wrong "expected a header and 2 rows"
has out "member,probability"
has out "yes,"
has out "no,"
run 0 predict m.safetensors new.csv -o p.csv --probabilities --keep
has p.csv "city,extra,height,age,income,predicted member,probability,p(no),p(yes)"
run 0 predict m.safetensors new.csv --json
is_json target predictions line class probabilities
printf 'city,age\nOslo,70\n' >lacks.csv
run 3 predict m.safetensors lacks.csv
has err 'no column "height"'
printf 'city,height,age,incme\nOslo,180,70,1\n' >typo.csv
run 3 predict m.safetensors typo.csv
has err 'there is "incme"'
printf 'city,height,age,income\nOslo,180,old,3900\nLima,170,30,1700\n' >odd.csv
run 0 predict m.safetensors odd.csv
has err 'line 2: age: expected a number, got "old"; taken as missing'
run 3 predict m.safetensors odd.csv --strict
has err "line 2"

# -- numbers
run 0 train people.csv -t income -o income.safetensors --epochs 120
has out 'target "income": regression'
above "$(number out R2)" 0.8
run 0 evaluate income.safetensors people.csv --json
is_json rmse mae r2
run 0 predict income.safetensors people.csv
above "$(sed -n 2p out)" 500
run 2 evaluate income.safetensors people.csv --labels x.csv
run 0 train people.csv -t income --model linear -q
[ -f people.safetensors ] || wrong "the default name is not the table's"
above "$(number out R2)" 0.8
run 0 train people.csv -t -1 --model m.safetensors -o more.safetensors --epochs 3
run 0 train people.csv -t member --hidden 8,4,2 --ignore height,income --categories age --test 0 -e 2
has out "8 relu, 4 relu, 2 relu"
has out "left out: as asked for"

# -- malformed rows
{ head -n 100 people.csv; echo "Cut,1"; tail -n 100 people.csv; } >ragged.csv
run 0 train ragged.csv -t member -e 2 -o r.safetensors
has err "ragged.csv: line 101: expected 6 fields, got 2"
has err "1 malformed row was left out; --strict refuses them"
has out "1 malformed left out"
run 3 train ragged.csv -t member -e 2 -o strict.safetensors --strict
has err "line 101: expected 6 fields, got 2"
[ -f strict.safetensors ] && wrong "a refused table left a model"
run 0 train ragged.csv -t member -e 2 -o r.safetensors -q
[ -s err ] && wrong "--quiet is not quiet"

# -- what is refused
run 2 train people.csv
has err "--target"
run 2 train people.csv --target membre
has err 'did you mean "member"?'
run 3 train people.csv --target name
run 3 train people.csv --target city --task regression
run 2 train people.csv -t member --hidden 8,x
run 2 train people.csv -t member --ignore nobody
run 6 train nowhere.csv --target x
run 6 train people.csv -t member -e 1 -o no/such/folder/m.safetensors
printf 'a,b\n1,2\n' >tiny.csv
run 3 train tiny.csv -t b
run 7 train people.csv -t income --learning-rate 1e30 -o nan.safetensors
has err "try a smaller --learning-rate"
[ -f nan.safetensors ] && wrong "a model of no numbers was saved"

# -- models that are none
run 6 summary nowhere.safetensors
run 4 summary people.csv
head -c 300 m.safetensors >cut.safetensors
run 4 summary cut.safetensors
run 4 predict cut.safetensors new.csv
printf '\000\000\010\001\000\000\000\002\001\002' >two.idx
run 0 convert two.idx two.safetensors
run 4 summary two.safetensors
has err "made by nacre train"
for damage in 's/"deviation": [0-9.]*/"deviation": 0/' 's/"version": 1/"version": 9/' \
	's/"task": "classification"/"task": "classificatiom"/' 's/"name"/"nama"/' \
	's/"other"/"otter"/' 's/"hidden"/"hiddem"/' 's/dense_1/dense_9/'; do
	LC_ALL=C sed "$(echo "$damage" | sed 's/"/\\\\"/g')" m.safetensors >damaged.safetensors
	if [ "$(wc -c <damaged.safetensors)" = "$(wc -c <m.safetensors)" ]; then
		run 4 summary damaged.safetensors
	fi
done

# -- a signal ends training, and the best so far is saved
last="nacre train, SIGTERM"
"$nacre" train people.csv -t member -e 1000000 --patience 1000000 -o late.safetensors >out 2>err &
sleep 1
kill -TERM $!
wait $!
[ $? = 143 ] || wrong "expected exit code 143"
run 0 summary late.safetensors
done_testing
