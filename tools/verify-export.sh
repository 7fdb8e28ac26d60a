#!/bin/sh
# The founding documents' name for: nexus verify-export
exec "$(dirname -- "$(readlink -f -- "$0")")/../nexus" verify-export "$@"
