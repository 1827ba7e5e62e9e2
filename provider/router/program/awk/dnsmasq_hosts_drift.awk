# The assembled files of guests, and what the folders of their names below `var` have of it (`have`: ls of both): lines `ID TEXT`.
FNR == 1 { dir = FILENAME; sub(/.*\//, "", dir); dir = var "/" dir "/" }
/^# vpc6 / { file = dir $3; of[file] = $3; text[file] = ""; next }
{ text[file] = text[file] $0 "\n" }
END {
  while ((getline name <have) > 0) {
    if (name == var "/dhcp-hosts:" || name == var "/dns-hosts:") { dir = substr(name, 1, length(name) - 1) "/"; continue }
    if (name == "") continue
    file = dir name
    if (!(file in text)) { print "-", "file " file " added"; continue }
    old = ""
    while ((getline line <file) > 0) old = old line "\n"
    close(file)
    if (old != text[file]) print of[file], "file " file " changed"
    delete text[file]
  }
  for (file in text) print of[file], "file " file " removed"
}
