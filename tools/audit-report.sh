#!/bin/sh
# The founding documents' name for: nexus audit report
exec "$(dirname -- "$(readlink -f -- "$0")")/../nexus" audit report "$@"
