#!/bin/sh
# The founding documents' name for: nexus verify revenue
exec "$(dirname -- "$(readlink -f -- "$0")")/../nexus" verify revenue "$@"
