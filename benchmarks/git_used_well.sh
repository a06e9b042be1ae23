#!/bin/sh
# The git CLI as good as it gets: no work tree, a partial clone that stays, a listing before anything else.
# usage: git_used_well.sh URL DIRECTORY SLO [SHIPYARD]   (files with the wanted content; DIRECTORY is kept between runs)
set -eu
url=$1 work=$2 slo=$3 shipyard=${4-}

if [ ! -d "$work" ]; then
    git init --quiet --bare "$work"
    git -C "$work" config remote.origin.url "$url"
fi
cd "$work"

# Version 0 of the protocol lists in one request; version 2 needs two.
refs=$(git -c protocol.version=0 ls-remote --quiet "$url" refs/heads/production refs/heads/main)
wanted=$(cat "$slo" ${shipyard:+"$shipyard"} | git hash-object --stdin)
if [ "$(cat done 2>/dev/null)" = "$wanted $refs" ]; then
    exit 0
fi

tip() { echo "$refs" | sed -n "s,\trefs/heads/$1\$,,p"; }

# Asking Git for an object that is not there would fetch it, so the tips that are there have refs.
if [ "$(git for-each-ref --format='%(objectname)' refs/have/production refs/have/main)" != "$(tip main)
$(tip production)" ]; then
    git -c protocol.version=0 fetch --quiet --depth=1 --filter=blob:none --no-tags origin '+refs/heads/*:refs/have/*'
fi

# commit BRANCH PATH FILE: print the commit to push, or nothing if the file is there already
commit() {
    blob=$(git hash-object -w "$3")
    if [ "$(git rev-parse --quiet --verify "$(tip "$1"):$2" 2>/dev/null)" = "$blob" ]; then
        return
    fi
    export GIT_INDEX_FILE="$work/index-$1"
    git read-tree "$(tip "$1")"
    git update-index --add --cacheinfo "100644,$blob,$2"
    git commit-tree "$(git write-tree --missing-ok)" -p "$(tip "$1")" -m "gate: sync production evaluation"
}

production=$(commit production helloservice/slo.yaml "$slo")
main=
if [ -n "$shipyard" ]; then
    main=$(commit main shipyard.yaml "$shipyard")
fi
if [ -n "$production$main" ]; then
    git push --quiet --atomic origin ${production:+"$production:refs/heads/production"} ${main:+"$main:refs/heads/main"}
    refs=$(echo "$refs" | sed "${production:+s,^[0-9a-f]*\(\trefs/heads/production\)\$,$production\1,};${main:+s,^[0-9a-f]*\(\trefs/heads/main\)\$,$main\1,}")
fi
git update-ref refs/have/production "$(tip production)"
git update-ref refs/have/main "$(tip main)"
echo "$wanted $refs" >done
