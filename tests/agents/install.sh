#!/usr/bin/env bash
# Installs the real agents that the opt-in contract tests drive (package.json pins them), and their Node:
# on an older Node npm installs older agents without a word. About 1.4 GB.
#
#   tests/agents/install.sh [FOLDER]       default: ~/.cache/greylag/agents
#   GREYLAG_AGENTS=1 pytest tests/contract   (or GREYLAG_AGENTS=FOLDER)
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
folder="${1:-$HOME/.cache/greylag/agents}"

command -v npm >/dev/null || { echo "npm is needed: install Node.js 20 or newer" >&2; exit 2; }
mkdir -p "$folder"
cp "$here/package.json" "$here/package-lock.json" "$folder/"
cd "$folder"
# Lock and hashes decide what is installed; the install scripts of these two packages bring their binaries.
npm ci --no-audit --no-fund --loglevel=error
node="$folder/node_modules/node/bin/node"
[[ -x "$node" ]] || { echo "npm did not run the install script of the package node: $folder" >&2; exit 1; }

export PATH="$folder/node_modules/.bin:$folder/node_modules/node/bin:$PATH"
for program in node claude codex claude-agent-acp; do
    printf '%-18s %s\n' "$program" "$("$program" --version | head -n 1)"
done
