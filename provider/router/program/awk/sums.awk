# `SUM  SLOT/ID` of what is there; `before`: those there were; `ids`: who says now what is right. To `to` goes `SUM SLOT/ID` of what should be there,
# and printed is what is not as it should be: `changed|gone|stranger|unknown SLOT ID`.
BEGIN {
  printf "" >to
  while ((getline line <ids) > 0) said[line] = 1
  while ((getline line <before) > 0) {
    n = split(line, word, " ")
    whole = (word[1] == "end" && word[2] == listed + 0)
    if (n == 2 && word[1] ~ /^([0-9a-f]+|-)$/) { listed++; sum[word[2]] = word[1] }
  }
  # Half a list says nothing of what it does not name, and what it names may be wrong.
  if (!whole) for (name in sum) delete sum[name]
}
function parts(name) { slot = substr(name, 1, index(name, "/") - 1); id = substr(name, index(name, "/") + 1) }
NF == 2 {
  parts($2)
  there[$2] = 1
  if (id in said) { print $1, $2 >to; next }
  if (!($2 in sum)) {
    if (whole) { print "stranger", slot, id; next }
    sum[$2] = "-"
  }
  print sum[$2], $2 >to
  if (sum[$2] == "-") print "unknown", slot, id
  else if (sum[$2] != $1) print "changed", slot, id
}
END {
  for (name in sum) {
    parts(name)
    if ((name in there) || (id in said)) continue
    print sum[name], name >to
    print "gone", slot, id
  }
}
