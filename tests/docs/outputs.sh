#!/bin/bash
# The JSON of every command of boxupload that prints some, one object a line after the name of the command and a tab. Under
# "box-emulator --run --", in an empty folder.
set -u

# told COMMAND...: its JSON; a failure's is JSON as well.
told () { local name=$1; shift; boxupload "$name" --json "$@" 2>/dev/null | sed "s/^/$name\t/"; }

head -c 2500000 /dev/urandom >a.bin
head -c 21000000 /dev/urandom >b.bin
told whoami
told put a.bin --name a.bin
told put a.bin --name a.bin --if-exists skip
told put a.bin --name a.bin
told put b.bin --name b.bin --upload-rate 12MB
told ls
told get box://0/a.bin got.bin
session=$(boxupload create --size 21000000 --name c.bin)
told status "$session"
head -c 8388608 b.bin >part.bin
told part "$session" --offset 0 part.bin
told parts "$session"
told abort "$session"
told create --size 21000000 --name d.bin
session=$(boxupload create --size 21000000 --name e.bin)
boxupload put b.bin --session "$session" >/dev/null 2>&1 || true
told token --folder 0
for name in x y; do
  gst-launch-1.0 -q filesrc location=a.bin ! boxuploadsink unknown-size=spool eos-mode=spool spool-dir=spool location=box://0/$name.bin
done
told spool spool
set -- spool/*.data
first=$(basename "$1" .data)
told spool export --spool-dir spool "$first" exported.bin
told spool rm --force --spool-dir spool "$first"
told resume spool
told resume spool
session=$(boxupload create --size 21000000 --name f.bin)
gst-launch-1.0 -q filesrc location=b.bin ! boxuploadsink session="$session" commit=false
told commit "$session" --sha1 "$(sha1sum <b.bin | cut -c 1-40)"
told status nothing
true
