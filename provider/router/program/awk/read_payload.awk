# A payload, judged to its last line. Prints what it says of itself, a line each, or what is wrong (exit status 1). `slots`: those there are;
# `nonce` and `wait`: what is so where it does not say. The ids it names go to `ids`, those with `made` to `drops`, who may stand back to `yields`.
function bad(text) { print "line " NR ": " text; failed = 1; exit 1 }
BEGIN { printf "" >ids; printf "" >drops; printf "" >yields }
NR == 1 { if ($0 != "@TRANSACTION@") bad("not a payload of this program"); next }
ended { bad("text after the end") }
/^\|/ { if (slot == "") bad("text outside a slot"); next }
$1 == "holder" { if (holder == "") holder = substr($0, 8, 100); next }
$1 == "nonce" && NF == 2 && $2 ~ /^[0-9a-z]+$/ { nonce = $2; next }
$1 == "confirm" && NF == 2 && $2 ~ /^[0-9]+$/ && $2 >= @CONFIRM_LEAST@ && $2 <= @CONFIRM_MOST@ { wait = $2; next }
$1 == "yields" && NF == 2 && $2 ~ /^@ID@$/ { print $2 >yields; next }
$0 == "repair" { repair = "repair"; next }
$1 == "set" || $1 == "drop" {
  if (NF != 2 || $2 !~ /^@ID@$/ || length($2) > @ID_LONGEST@) bad("not an id: " $2)
  if ($2 in seen) bad("twice in one payload: " $2)
  seen[$2] = 1; print $2 >ids; id = ($1 == "set") ? $2 : ""; gone = ($1 == "drop") ? $2 : ""; slot = ""
  next
}
$0 == "fresh" { if (id == "" || slot != "") bad("fresh what?"); fresh = "fresh"; next }
$1 == "made" && NF == 2 && $2 ~ /^[0-9a-z]+$/ { if (gone == "") bad("made what?"); print gone, $2 >drops; gone = ""; next }
$1 == "slot" {
  if (id == "" || NF != 2) bad("slot without an id")
  if (index(slots, " " $2 " ") == 0) bad("no such slot: " $2)
  if ((id, $2) in seen) bad("twice in one fragment set: " $2)
  seen[id, $2] = 1; slot = $2
  next
}
$1 == "end" && NF == 2 { if ($2 != NR - 1) bad("incomplete: " NR - 1 " lines of " $2); ended = 1; next }
{ bad("not understood") }
END {
  if (failed) exit 1
  if (!ended) { print "incomplete: it stops at line " NR; exit 1 }
  print nonce; print wait; print repair; print fresh; print holder
}
