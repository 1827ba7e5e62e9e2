# The assembled file, then what FRR runs with: the statements of the first that are not in the second, as vtysh takes them. Exit 1 when
# something else has to go for them than what they replace, or when they stand where only frr-reload.py knows the way.

# By what a statement takes the place of another.
function key(text,   w) {
  split(text, w, " ")
  if (w[1] == "neighbor" && w[3] == "timers" && w[4] == "connect") return w[1] " " w[2] " " w[3] " " w[4]
  if (w[1] == "neighbor" && w[3] ~ /^(timers|password|ebgp-multihop)$/) return w[1] " " w[2] " " w[3]
  if (w[2] == "prefix-list" && w[4] == "seq") return w[1] " " w[2] " " w[3] " " w[4] " " w[5]
  return ""
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
{ line = block "\t" family "\t" (block == $0 ? "" : $0) }
file == 1 { if (!(line in ours)) { ours[line] = 1; order[++n] = line } next }
{ now[line] = 1; if (!(line in ours)) extra[++m] = line }
END {
  block = ""; family = ""
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
    if (key(part[3]) == "" || !((part[1] "\t" part[2] "\t" key(part[3])) in comes)) exit 1
  }
  for (i = 1; i <= count; i++) {
    split(new[i], part, "\t")
    if (part[2] != family && family != "") print " exit-address-family"
    if (part[1] != block) {
      if (block != "") print "exit"
      block = part[1]; family = ""
      if (block != "") print block
    }
    if (part[2] != family && part[2] != "") print " " part[2]
    family = part[2]
    if (part[3] != "") print " " part[3]
  }
  if (family != "") print " exit-address-family"
  if (block != "") print "exit"
}
