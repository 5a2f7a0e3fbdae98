-- The embedded forge. `document` is the pull request as JSON; the other columns are what it is looked up by.
CREATE TABLE IF NOT EXISTS pulls (
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    head TEXT NOT NULL,
    state TEXT NOT NULL,
    published INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (repository, number),
    UNIQUE (repository, key)
);
CREATE INDEX IF NOT EXISTS pulls_head ON pulls (repository, head);

-- Every commit that we put, or were about to put, on a head branch: any other was pushed by a person.
CREATE TABLE IF NOT EXISTS heads (
    repository TEXT NOT NULL,
    head TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    PRIMARY KEY (repository, head, commit_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS checks (
    repository TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    verifier TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (repository, commit_id, verifier)
) WITHOUT ROWID;

-- What people said on pull requests, in the order in which they said it.
CREATE TABLE IF NOT EXISTS remarks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    may_write INTEGER NOT NULL,
    at TEXT NOT NULL
);
