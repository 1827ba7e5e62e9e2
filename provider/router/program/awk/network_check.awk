# The assembled file: prints whose line is wrong, and why. `devs`: the links of this host; `routes`: what ip lists; `owned`: what of all that is ours;
# where the file `adopt` says something, a stranger's route is no error, and goes to `adopted`; `rivals`: see rivals.sh; `links`, `mtus`: where a
# link's MTU is read, and what it can be (see network_mtu_room); `vlans`: those of this host, and `made`, which of them are ours (vlans.sh).
function bad(text) { print id; print text; failed = 1; exit }
function has(dev) { return index(devs, " " dev " ") }
function missing(dev,   list) {
  list = devs; sub(/ lo /, " ", list); gsub(/^ | $/, "", list); gsub(/ /, ", ", list)
  bad("interface " dev " does not exist on this host (it has: " list ")")
}
function v6(address) { return address ~ /^[0-9a-f:.]+$/ && address ~ /:/ }
function v4(address) { return address ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ }
# The first and the last address of an IPv4 prefix, as numbers.
function first4(text,   part, octet) {
  split(text, part, "/"); split(part[1], octet, ".")
  size4 = 2 ^ (32 - part[2])
  return int((((octet[1] * 256 + octet[2]) * 256 + octet[3]) * 256 + octet[4]) / size4) * size4
}
function last4(text,   from) { from = first4(text); return from + size4 - 1 }
function meet4(one, other) { return first4(one) <= last4(other) && first4(other) <= last4(one) }
function prefix(text,   part) {
  return split(text, part, "/") == 2 && (v6(part[1]) || v4(part[1])) && part[2] ~ /^[0-9]+$/ && part[2] <= (v6(part[1]) ? 128 : 32)
}
function once(key) { if (key in seen) clash(seen[key], $0 ": already said by " seen[key]); else seen[key] = id }
# Who says the same goes to `rivals`, all of them; told is the first.
function clash(other, text) { print id, other >rivals; if (clashing == "") { clashing = id; clashes = text } }
# The MTU that a link will have.
function mtu_of(dev,   file, now) {
  if (dev in mtu) return mtu[dev]
  if (dev in before) return before[dev]
  file = links "/" dev "/mtu"; now = 0
  getline now <file; close(file)
  # A VLAN that is still to be made has its parent's.
  return !has(dev) && dev in parent ? mtu_of(parent[dev]) : now + 0
}
function narrow(dev, lower, room,   whose) {
  if (lower in mtu) { room = mtu[lower]; whose = ", by " mtu_by[lower] ": give that a larger one" }
  else whose = ": give " lower " one of " mtu[dev] " in the host's own network configuration"
  if (room + 0 > 0 && room + 0 < mtu[dev] + 0)
    wrong_mtu(dev, dev " is on " lower ", whose MTU is " room whose ", or " dev " a smaller one")
}
function wrong_mtu(dev, text) {
  print mtu_by[dev]; print "an MTU of " mtu[dev] " is not possible on " dev ": " text
  failed = 1; exit
}
BEGIN {
  while ((getline line <vlans) > 0) {
    split(line, word, " ")
    told[word[1]] = "VLAN " word[3] " on " word[2]; kind[word[1]] = word[4]
    if (word[4] == "802.1Q") on[told[word[1]]] = word[1]
  }
  while ((getline line <made) > 0) { split(line, word, " "); known[word[1]] = 1 }
  # They may be spoken of before they are said.
  while ((getline line <ARGV[1]) > 0) { split(line, word, " "); if (word[1] == "vlan") tagged[word[2]] = 1 }
}
/^# vpc6 / { id = $3; next }
/^#/ || !NF { next }
$1 == "vlan" && NF == 4 && $2 ~ /^[A-Za-z0-9_][A-Za-z0-9._-]*$/ && length($2) < 16 && $4 ~ /^[1-9][0-9]*$/ && $4 < 4095 {
  tag = "VLAN " $4 " on " $3
  once(tag)
  if ($3 in told || $3 in tagged) bad($3 " is a VLAN itself" ($3 in told ? " (" told[$3] ")" : "") ": vpc6 makes no VLAN inside a VLAN (QinQ, IEEE 802.1ad). Name the interface that carries it, or make the inner one on the host and name it as `interface`, without `vlan`")
  if (!has($3)) missing($3)
  there = !($2 in told) ? "no VLAN" : told[$2] (kind[$2] != "802.1Q" ? " (" kind[$2] ")" : "")
  if (has($2) && !($2 in known) && there != tag) bad($2 " is here already, and is " there ", not " tag ", and not by vpc6: give that link another name, or take it away")
  if (tag in on && on[tag] != $2 && !(on[tag] in known)) bad(tag " is here already, as " on[tag] ", and not by vpc6: take that link away, or name it as `interface`, without `vlan`")
  parent[$2] = $3; ok = 1
}
$1 == "interface" && (NF == 2 || (NF == 3 && ($3 == "keep-ra" || $3 == "ipv4"))) { once("interface " $2); mine[$2] = 1; ok = 1 }
$1 == "address" && (NF == 3 || (NF == 4 && $4 == "nodad")) && prefix($3) { once($1 " " $2 " " $3); ok = 1 }
# A host has one IPv4 table: of two networks that overlap one would get packets of the other.
$1 == "address" && ok && $3 !~ /:/ && $3 !~ /\/32$/ {
  for (i = 1; i <= count4; i++) {
    if (meet4($3, net4[i]) && !($2 == dev4[i] && first4($3) == first4(net4[i]) && last4($3) == last4(net4[i]))) {
      clash(by4[i], $3 " on " $2 " overlaps " net4[i] " on " dev4[i] ", of " by4[i])
    }
  }
  count4++; net4[count4] = $3; dev4[count4] = $2; by4[count4] = id
}
$1 == "neighbor" && NF == 4 && (v6($3) || v4($3)) && $4 ~ /^[0-9a-f][0-9a-f](:[0-9a-f][0-9a-f])+$/ { once($1 " " $2 " " $3); ok = 1 }
$1 == "mtu" && NF == 3 && $3 ~ /^[0-9]+$/ { once("mtu " $2); mtu[$2] = $3; mtu_by[$2] = id; ok = 1 }
$1 == "address" && ok && $3 ~ /:/ { wants6[$2] = id }
$1 == "unreachable" && NF == 2 && prefix($2) { once("route " $2 " " ($2 ~ /:/ ? 1024 : 0)); next }
$1 == "onlink" && NF == 3 && prefix($3) {
  metric = $3 ~ /:/ ? 1024 : 0
  once("route " $3 " " metric)
  want[$3 " " metric] = $2 " "; by[$3 " " metric] = id; ok = 1
}
$1 == "route" && $4 == "via" && prefix($3) && (v6($5) || v4($5)) && (NF == 5 || (NF == 7 && $6 == "metric" && $7 ~ /^[0-9]+$/)) {
  metric = NF == 7 ? $7 : ($3 ~ /:/ ? 1024 : 0)
  once($1 " " $3 " " metric)
  want[$3 " " metric] = $2 " " $5; by[$3 " " metric] = id; ok = 1
}
!ok { bad("not understood: " $0) }
{ ok = 0 }
!has($2) && !($2 in tagged) { missing($2) }
# Another route to the same place, not by us: neither may silently win.
END {
  if (failed) exit
  if (clashing != "") { print clashing; print clashes; exit }
  while ((getline line <mtus) > 0) {
    split(line, word, " ")
    if (word[1] == "device") { least[word[2]] = word[3]; most[word[2]] = word[4] }
    else if (word[1] == "before") before[word[2]] = word[3]
    else parent[word[2]] = parent[word[2]] " " word[3]
  }
  for (dev in mtu) {
    if (dev in least && mtu[dev] + 0 < least[dev] + 0) wrong_mtu(dev, "its driver takes " least[dev] " and more")
    if (most[dev] + 0 > 0 && mtu[dev] + 0 > most[dev] + 0) wrong_mtu(dev, "its driver takes " most[dev] " and less; give it one of that, or the machine another network card")
    n = split(parent[dev], under, " ")
    for (i = 1; i <= n; i++) narrow(dev, under[i], mtu_of(under[i]))
  }
  for (dev in wants6) if (dev != "lo" && mtu_of(dev) > 0 && mtu_of(dev) + 0 < 1280) {
    print wants6[dev]
    print dev " has an MTU of " mtu_of(dev) ", and IPv6 needs 1280 at least (RFC 8200 section 5): give it a larger one, in the host's own network configuration or by vpc6 (`mtu` of a tier, `publicMtu` of the Router)"
    exit
  }
  # Addresses of ours that are there: their networks are no strangers.
  while ((getline line <owned) > 0) {
    split(line, word, " ")
    if (word[1] == "address" && word[3] !~ /:/) known4[word[2] " " first4(word[3]) " " last4(word[3])] = 1
  }
  while ((getline line <adopt) > 0) if (line !~ /^#/) adopts = 1
  while ((getline line <routes) > 0) {
    n = split(line, word, " ")
    net = word[1] ~ /\// ? word[1] : word[1] "/32"
    if (net ~ /^[0-9.]+\/[0-9]+$/) {
      dev = ""; proto = ""
      for (i = 2; i < n; i++) { if (word[i] == "dev") dev = word[i + 1]; if (word[i] == "proto") proto = word[i + 1] }
      for (i = 1; i <= count4 && proto != ours; i++) {
        if (!meet4(net4[i], net) || (dev " " first4(net) " " last4(net)) in known4) continue
        if (dev == dev4[i] && first4(net) == first4(net4[i]) && last4(net) == last4(net4[i])) continue
        print by4[i]
        print net4[i] " overlaps a network that this host has on " dev ", " net ": a router has one IPv4 table; use another network, or take that one off the host"
        exit
      }
    }
    if (word[1] ~ /^(unreachable|blackhole|prohibit|multicast|local|broadcast|anycast)$/) continue
    to = word[1]; via = ""; dev = ""; metric = ""; proto = ""
    for (i = 2; i < n; i++) {
      if (word[i] == "via") via = word[i + 1]
      if (word[i] == "dev") dev = word[i + 1]
      if (word[i] == "metric") metric = word[i + 1]
      if (word[i] == "proto") proto = word[i + 1]
    }
    six = (via ~ /:/ || to ~ /:/ || metric == 1024)
    if (to == "default") to = six ? "::/0" : "0.0.0.0/0"
    else if (to !~ /\//) to = to (six ? "/128" : "/32")
    if (metric == "") metric = six ? 1024 : 0
    key = to " " metric
    if (!(key in want) || proto == ours || want[key] == dev " " via) continue
    # Learned from an advertisement on an interface that becomes ours: the kernel drops it as the host begins to forward.
    if (proto == "ra" && dev in mine) continue
    if (adopts) { print key "\t" line >adopted; continue }
    id = by[key]
    print id
    print "this host has another route to " to " (" line "): remove it, or " how ": ours is used then, and this one comes back when ours goes"
    exit
  }
}
