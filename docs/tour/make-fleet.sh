#!/bin/sh
# Makes a git repository of each folder under repositories/, as bare ones under fleet/.
set -eu
cd "$(dirname "$0")"
export GIT_AUTHOR_NAME=tour GIT_AUTHOR_EMAIL=tour@example.org GIT_AUTHOR_DATE=2024-01-01T00:00:00Z
export GIT_COMMITTER_NAME=tour GIT_COMMITTER_EMAIL=tour@example.org GIT_COMMITTER_DATE=2024-01-01T00:00:00Z
mkdir -p fleet
for folder in repositories/*/; do
    name=$(basename "$folder")
    scratch=$(mktemp -d)
    cp -R "$folder." "$scratch"
    git -C "$scratch" init --quiet --initial-branch main
    git -C "$scratch" add .
    git -C "$scratch" commit --quiet --message "Queries of $name"
    git clone --quiet --bare "$scratch" "fleet/$name.git"
    rm -rf "$scratch"
done
