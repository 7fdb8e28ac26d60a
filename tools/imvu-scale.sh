#!/bin/sh
# The founding documents' name for: nexus imvu scale
exec "$(dirname -- "$(readlink -f -- "$0")")/../nexus" imvu scale "$@"
