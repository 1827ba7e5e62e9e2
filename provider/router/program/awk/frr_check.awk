# Statements of FRR on which two resources do not agree: prints who, and what. A password is never said. `rivals`: see rivals.sh.
function session(id) { sub(/^[^@]*@/, "", id); return id }
# Those of one session: a VPC has one with each neighbour. Of two VPCs that share a neighbour neither has more right than the other.
function rival(key, other) { if (session(other) == session(id) || key ~ / peer-group$/) print id, other >rivals }
function once(key, value) {
  if (key in said && said[key] != value) {
    rival(key, by[key])
    print id; print key " " value ": but " by[key] " says " said[key] (key ~ /^(neighbor|vpc6-)/ ? " (they share the neighbour)" : ""); exit
  }
  said[key] = value; by[key] = id
}
function rest(from,   text, i) { text = $from; for (i = from + 1; i <= NF; i++) text = text " " $i; return text }
/^# vpc6 / { id = $3; next }
$2 == "prefix-list" && $4 == "seq" { once($2 " " $3 " seq " $5, rest(6)) }
$1 == "router" { once("router bgp", $3) }
$1 == "bgp" && $2 == "router-id" { once("bgp router-id", $3) }
$1 == "neighbor" && $3 == "password" {
  if ($2 in word && word[$2] != $4) { rival("", holder[$2]); print id; print "neighbor " $2 " password: " holder[$2] " has another one (they share the neighbour)"; exit }
  word[$2] = $4; holder[$2] = id
}
$1 == "neighbor" && $3 == "bfd" && $4 == "profile" { once("neighbor " $2 " bfd profile", $5) }
$1 == "neighbor" && $3 == "peer-group" && NF == 4 { once("neighbor " $2 " peer-group", $4) }
$1 == "neighbor" && ($3 ~ /^(remote-as|ebgp-multihop|update-source)$/) { once("neighbor " $2 " " $3, $4) }
$1 == "neighbor" && $3 == "timers" { once("neighbor " $2 " timers" ($4 == "connect" ? " connect" : ""), rest($4 == "connect" ? 5 : 4)) }
