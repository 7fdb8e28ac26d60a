#!/bin/sh
# The founding documents' name for: nexus imvu exit
exec "$(dirname -- "$(readlink -f -- "$0")")/../nexus" imvu exit "$@"
