-- The fleet index: a cache that may be deleted at any time.
CREATE TABLE IF NOT EXISTS repositories (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    head TEXT,                 -- the default branch's tip at the last refresh; NULL: it has none
    problem TEXT               -- why it cannot be read; NULL: it can
);

-- Sets of names that were looked for.
CREATE TABLE IF NOT EXISTS name_sets (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    used INTEGER NOT NULL      -- counts up: the set used last has the highest
);

-- Up to which commit a repository was searched for a set of names.
CREATE TABLE IF NOT EXISTS scans (
    set_id INTEGER NOT NULL REFERENCES name_sets (id) ON DELETE CASCADE,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    head TEXT NOT NULL,
    PRIMARY KEY (set_id, repository_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS mentions (
    set_id INTEGER NOT NULL REFERENCES name_sets (id) ON DELETE CASCADE,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    path TEXT NOT NULL,        -- JSON text: names in git need not be UTF-8
    oid TEXT NOT NULL,
    line INTEGER NOT NULL,
    code TEXT,                 -- why it could not be searched; NULL: it could
    message TEXT,
    PRIMARY KEY (set_id, repository_id, path)
) WITHOUT ROWID;
