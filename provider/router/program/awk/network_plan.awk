# The assembled file, and what is live: a batch for ip, in the files of `run` (see network_plan). `ours`: the routing protocol; `owned`: what is
# ours; `dnsmasq`: its file. With `heal`: only what is missing, on `usable` links, and not in the place of another's (but where the file `adopt`
# says something); what was there before ours, as `found` says, does not become ours.
# `there`: links on which nobody else can have taken an address meanwhile.
function six(text) { return text ~ /:/ }
function possible(line,   w) {
  split(line, w, " ")
  return (w[1] == "unreachable" || index(usable, " " w[2] " ")) && (!(key(line) in held) || (adopts && w[1] == "route"))
}
function kind(line) { return substr(line, 1, index(line, " ") - 1) }
# Two lines with one key cannot both be in the kernel.
function key(line,   w) {
  split(line, w, " ")
  if (w[1] == "route") return w[1] " " w[3] " " w[7]
  if (w[1] == "unreachable") return "route " w[2] " " (six(w[2]) ? 1024 : 0)
  if (w[1] == "address") sub(/\/.*/, "", w[3])
  return w[1] " " w[2] " " w[3]
}
function command(verb, line,   w) {
  split(line, w, " ")
  if (w[1] == "address") return "addr " verb " " w[3] " dev " w[2] (verb == "add" && ((line in nodad) || index(there, " " w[2] " ")) ? " nodad" : "")
  if (w[1] == "neighbor") return "neigh " verb " " w[3] " dev " w[2] (verb == "del" ? "" : " lladdr " w[4] " nud permanent")
  if (w[1] == "unreachable") return "route " verb " unreachable " w[2] " metric " (six(w[2]) ? 1024 : 0) " proto " ours
  if (w[1] == "onlink") return "route " verb " " w[3] " dev " w[2] " metric " w[5] (verb == "del" ? "" : " proto " ours)
  return "route " verb " " w[3] " via " w[5] " dev " w[2] " metric " w[7] (verb == "del" ? "" : " proto " ours)
}
function emit(verb, line,   w) {
  split(line, w, " ")
  if (verb == "add" && six(w[3]) && (w[2] in served)) serves = "serves"
  print command(verb, line) >(run "/network.batch")
  print (line in raw ? raw[line] : line) >(run "/network.lines")
}
BEGIN {
  printf "" >(run "/network.batch"); printf "" >(run "/network.lines")
  printf "" >(run "/network.during"); printf "" >(run "/network.after")
  while ((getline line <(run "/network.live")) > 0) {
    split(line, part, "\t")
    live[part[1]] = 1
    held[key(part[1])] = 1
    if (part[2] == ours) mine[part[1]] = 1
  }
  while ((getline line <owned) > 0) if (line in live || heal) mine[line] = 1
  while ((getline line <adopt) > 0) if (line !~ /^#/) adopts = 1
  while ((getline line <found) > 0) before[line] = 1
  while ((getline line <dnsmasq) > 0) if (sub(/^interface=/, "", line)) served[line] = 1
}
/^#/ || !NF || $1 ~ /^(interface|vlan|mtu)$/ { next }
{
  line = $0
  if ($NF == "nodad") { line = $1 " " $2 " " $3; nodad[line] = 1 }
  if (($1 == "route" && NF == 5) || $1 == "onlink") line = line " metric " (six($3) ? 1024 : 0)
  if (line in want) next
  want[line] = 1; raw[line] = $0; order[++count] = line
  if (line in live || (heal && !possible(line))) next
  adding[key(line)] = line
  if (line in mine || (heal && line in before)) next
  print line >(run "/network.during"); print line >(run "/network.after")
}
END {
  for (line in mine) {
    print line >(run "/network.during")
    if (line in want || heal) print line >(run "/network.after")
    else if (key(line) in adding && kind(line) == "address") emit("del", line)
    else if (!(key(line) in adding)) gone[line] = 1
  }
  split("address onlink route unreachable neighbor", kinds, " ")
  for (k = 1; k <= 5; k++) for (i = 1; i <= count; i++) {
    line = order[i]
    if (kind(line) == kinds[k] && adding[key(line)] == line) emit(kinds[k] == "address" ? "add" : "replace", line)
  }
  for (k = 5; k >= 1; k--) for (line in gone) if (kind(line) == kinds[k]) emit("del", line)
  if (serves != "") print serves
}
