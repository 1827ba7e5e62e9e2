# What the host has, the assembled files of the network and of tayga: pools and prefixes that meet. Prints who, and why; `rivals`: see rivals.sh.
function number(text,   part) { split(text, part, "."); return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] }
function bad(text) { print id; print text; failed = 1; exit }
function rival(other, text) { print id, other >rivals; bad(text) }
# Two IPv4 prefixes: is one inside the other?
function meet(a, b,   x, y, n) {
  if (split(a, x, "/") < 2) x[2] = 32
  if (split(b, y, "/") < 2) y[2] = 32
  n = 2 ^ (32 - (x[2] < y[2] ? x[2] : y[2]))
  return int(number(x[1]) / n) == int(number(y[1]) / n)
}
$1 == "has" && $4 !~ /^@NAT64_DEVICE@/ { held[$2] = $4; next }
$1 == "route" && $4 !~ /^@NAT64_DEVICE@/ { routed[$2] = $4; next }
FILENAME ~ /have$/ || /^#/ && !/^# vpc6 / || !NF { next }
/^# vpc6 / { id = $3; next }
$1 == "address" && $3 ~ /\./ { held[$3] = $2; next }
FILENAME !~ /\/tayga$/ { next }
$1 == "tun-device" && $2 !~ /^@NAT64_DEVICE@[0-9a-f]+$/ { bad("not a device of ours: " $0) }
$1 == "tun-device" || $1 == "prefix" {
  if (($1 " " $2) in said) rival(said[$1 " " $2],$1 " " $2 ": already said by " said[$1 " " $2] " (VPCs of one router need a prefix each)")
  said[$1 " " $2] = id
}
$1 == "prefix" && $2 in routed { bad("prefix " $2 ": this host has a route to it already, on " routed[$2]) }
$1 == "dynamic-pool" {
  for (other in pools) if (meet($2, other)) rival(pools[other], "ipv4Pool " $2 " overlaps " other " of " pools[other] ": VPCs of one router need a pool each")
  for (other in held) if (meet($2, other)) bad("ipv4Pool " $2 " overlaps " other " on " held[other])
  pools[$2] = id
}
