# The assembled file, then what FRR runs with: what makes the second the first, as vtysh takes it, what goes before what comes. Exit 1 when
# only frr-reload.py knows the way.

# By what a statement takes the place of another.
function key(text,   w, n) {
  n = split(text, w, " ")
  if (w[1] == "neighbor" && w[3] == "timers" && w[4] == "connect") return w[1] " " w[2] " " w[3] " " w[4]
  if (w[1] == "neighbor" && w[3] ~ /^(timers|password|ebgp-multihop|update-source|description|maximum-prefix)$/) return w[1] " " w[2] " " w[3]
  if (w[1] == "neighbor" && w[3] ~ /^(prefix-list|route-map)$/) return w[1] " " w[2] " " w[3] " " w[n]
  if (w[2] == "prefix-list" && w[4] == "seq") return w[1] " " w[2] " " w[3] " " w[4] " " w[5]
  return ""
}
function place(block, family, text) {
  if (family != in_family && in_family != "") print " exit-address-family"
  if (block != in_block) {
    if (in_block != "") print "exit"
    in_block = block; in_family = ""
    if (block != "") print block
  }
  if (family != in_family && family != "") print " " family
  in_family = family
  if (text != "") print " " text
}
# What a statement that goes is taken away by: in `block`, or of lists. With a neighbor goes all that is said of it.
function away(block, family, text,   w, n) {
  n = split(text, w, " ")
  if (block == "" && text ~ /^ipv6 prefix-list /) return "no " text
  if (block ~ /^route-map / && !((block "\t\t") in ours)) return text == "" ? "no " block : ""
  if (block !~ /^router bgp / || !((block "\t\t") in ours)) exit 1
  if (family == "" && text ~ /^bgp listen (range|limit) /) return "no " text
  if (family != "" && w[1] == "network" && n == 2) return "no " text
  if (w[1] != "neighbor") exit 1
  if (w[2] in leaves) return w[3] == leaves[w[2]] && family == "" ? "no neighbor " w[2] (w[3] == "peer-group" ? " " w[3] : "") : ""
  if (w[3] !~ /^(timers|password|ebgp-multihop|update-source|description|activate|allowas-in|prefix-list|route-map|route-reflector-client|default-originate|maximum-prefix)$/) exit 1
  # Of what has an option or a secret the first word says enough.
  return w[3] ~ /^(password|description|maximum-prefix)$/ ? "no neighbor " w[2] " " w[3] : "no " text
}
# What refers to something goes before that: a range before its group, a member too, and lists last.
function turn_of(block, gone) {
  if (block == "") return 4
  if (gone ~ /^no bgp listen /) return 1
  return gone ~ / peer-group$/ ? 3 : 2
}
FNR == 1 { file++; block = ""; family = "" }
/^[#!]/ || /^ *!/ || !NF { next }
/^(frr (version|defaults)|hostname|domainname|log|service|no ip(v6)? forwarding|Building|Current|end$)/ { next }
/^exit$/ { block = ""; family = ""; next }
{ $1 = $1 }
/^exit(-address-family)?$/ { family = ""; next }
/^(router|route-map|bfd|interface|vrf|segment-routing|line)( |$)/ { block = $0; family = "" }
/^address-family / { family = $0; next }
block == "bfd" && /^profile / { family = $0 }
$1 == "bgp" && $2 == "listen" { ranges = 1 }
file == 1 && $1 == "neighbor" { stays[$2] = 1 }
file == 2 && $1 == "neighbor" && !($2 in stays) && ($3 == "remote-as" || ($3 == "peer-group" && NF == 3)) && leaves[$2] != "peer-group" { leaves[$2] = $3 }
{ line = block "\t" family "\t" (block == $0 ? "" : $0) }
file == 1 { if (!(line in ours)) { ours[line] = 1; order[++n] = line } next }
{ now[line] = 1; if (!(line in ours)) extra[++m] = line }
END {
  for (i = 1; i <= n; i++) {
    if (order[i] in now) continue
    split(order[i], part, "\t")
    if (part[1] !~ /^(router|route-map|$)/ || (part[1] == "" && part[3] !~ /^ipv6 prefix-list /)) exit 1
    # The kernel would keep the former one of a listen range.
    if (ranges && part[3] ~ / password /) exit 1
    if (key(part[3]) != "") comes[part[1] "\t" part[2] "\t" key(part[3])] = 1
    new[++count] = order[i]
  }
  for (i = 1; i <= m; i++) {
    split(extra[i], part, "\t")
    if (key(part[3]) != "" && ((part[1] "\t" part[2] "\t" key(part[3])) in comes)) continue
    if (ranges && part[3] ~ / password /) exit 1
    gone = away(part[1], part[2], part[3])
    if (gone == "") continue
    old[++goes] = (part[3] == "" ? "" : part[1]) "\t" part[2] "\t" gone
  }
  for (turn = 1; turn <= 4; turn++) for (i = 1; i <= goes; i++) {
    split(old[i], part, "\t")
    if (turn_of(part[1], part[3]) == turn) place(part[1], part[2], part[3])
  }
  for (i = 1; i <= count; i++) {
    split(new[i], part, "\t")
    place(part[1], part[2], part[3])
  }
  place("", "", "")
}
