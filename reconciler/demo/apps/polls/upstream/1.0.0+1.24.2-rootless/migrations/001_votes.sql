CREATE TABLE vote (
    question TEXT NOT NULL,
    voter TEXT NOT NULL,
    choice TEXT NOT NULL,
    PRIMARY KEY (question, voter)
)
