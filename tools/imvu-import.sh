#!/bin/sh
# The founding documents' name for: nexus imvu import
exec "$(dirname -- "$(readlink -f -- "$0")")/../nexus" imvu import "$@"
