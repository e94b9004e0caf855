-- Words are kept in lower case from now on, so every note is indexed again.
DELETE FROM word;
DELETE FROM job;
INSERT INTO job (note) SELECT id FROM note ORDER BY id
