# A payload, to `dir`/<slot>/<id>; exit status 1 when what is there then is not what it says (`payload` is its file's name).
function next_file(slot) { if (file != "") close(file); file = dir "/" slot "/" id }
/^\|/ { print substr($0, 2) >file; next }
$1 == "set" { id = $2 }
$1 == "slot" { next_file($2) }
END {
  if (file != "") close(file)
  file = ""
  while ((getline <payload) > 0) {
    if (/^\|/) { if ((getline line <file) <= 0 || line != substr($0, 2)) exit 1; continue }
    if ($1 == "set") id = $2
    if ($1 == "slot") { ended(); next_file($2) }
  }
  ended()
}
function ended() { if (file != "" && (getline line <file) > 0) exit 1 }
