#!/bin/sh
# The founding documents' name for: nexus verify gates
exec "$(dirname -- "$(readlink -f -- "$0")")/../nexus" verify gates "$@"
