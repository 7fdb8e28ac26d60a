#!/bin/sh
# The founding documents' name for: nexus imvu create
exec "$(dirname -- "$(readlink -f -- "$0")")/../nexus" imvu create "$@"
