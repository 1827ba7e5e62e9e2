# The assembled file: what is to be done for its VLANs, of those that are `live` and those that we `made`. Lines `gone NAME`, `del NAME`, `trunk NAME - - ID`,
# `add NAME TRUNK TAG ID`, and of what stands in the place of one and is not ours `other NAME TRUNK TAG ID`. With `heal` nothing goes.
BEGIN {
  while ((getline line <live) > 0) { split(line, w, " "); is[w[1]] = w[2] " " w[3] " " w[4]; tag[w[1]] = w[3] }
  while ((getline line <made) > 0) { split(line, w, " "); ours[w[1]] = w[2] }
}
/^# vpc6 / { id = $3; next }
$1 != "vlan" { next }
{
  want[$2] = $3 " " $4 " 802.1Q"
  order[++count] = $2 " " $3 " " $4 " " id
  if (!($3 in trunk)) { trunk[$3] = id; trunks[++many] = $3 }
}
END {
  for (name in ours) {
    if (!(name in is)) print "gone", name
    if (heal || !(name in is)) continue
    # Of one that nobody wants any more the one that we made, and no other of that name.
    if ((name in want) ? is[name] != want[name] : tag[name] == ours[name]) { print "del", name; delete is[name] }
  }
  for (i = 1; i <= many; i++) print "trunk", trunks[i], "-", "-", trunk[trunks[i]]
  for (i = 1; i <= count; i++) {
    split(order[i], w, " ")
    if (!(w[1] in is)) print "add", order[i]
    else if (is[w[1]] != want[w[1]]) print "other", order[i]
  }
}
