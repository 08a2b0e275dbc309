-- Version 9: nodes as which many caches answer, so that nothing is said of one of them as a whole.
-- A row is of the node that had this kind and address; another of the same name is another node.

CREATE TABLE pools (
  layer TEXT NOT NULL,
  node TEXT NOT NULL,
  kind TEXT NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (layer, node, kind, address)
) STRICT, WITHOUT ROWID;
