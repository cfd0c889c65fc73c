BEGIN;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE users (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	username VARCHAR NOT NULL, 
	username_key VARCHAR NOT NULL, 
	password_hash VARCHAR NOT NULL, 
	is_admin BOOLEAN NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	CONSTRAINT uq_users_username_key UNIQUE (username_key)
);
CREATE TABLE sessions (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	user_id INTEGER NOT NULL, 
	began_at BIGINT NOT NULL, 
	ends_at BIGINT NOT NULL, 
	last_used_at BIGINT NOT NULL, 
	device VARCHAR NOT NULL, 
	address VARCHAR NOT NULL, 
	refresh_number INTEGER NOT NULL, 
	recent_uses JSON NOT NULL, 
	CONSTRAINT fk_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE login_failures (
	id INTEGER NOT NULL, 
	bucket VARCHAR(64) NOT NULL, 
	failed_at BIGINT NOT NULL, 
	CONSTRAINT pk_login_failures PRIMARY KEY (id)
);
CREATE TABLE stores (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	CONSTRAINT uq_stores_name UNIQUE (name)
);
CREATE TABLE store_members (
	store_id INTEGER NOT NULL, 
	user_id INTEGER NOT NULL, 
	role VARCHAR(5) NOT NULL, 
	CONSTRAINT pk_store_members PRIMARY KEY (store_id, user_id), 
	CONSTRAINT ck_store_members_role CHECK (role IN ('owner', 'clerk')), 
	CONSTRAINT fk_store_members_store_id_stores FOREIGN KEY(store_id) REFERENCES stores (id) ON DELETE CASCADE, 
	CONSTRAINT fk_store_members_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE items (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	store_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	price_minor BIGINT NOT NULL, 
	CONSTRAINT uq_items_store_id UNIQUE (store_id, name), 
	CONSTRAINT ck_items_price CHECK (price_minor >= 0), 
	CONSTRAINT fk_items_store_id_stores FOREIGN KEY(store_id) REFERENCES stores (id)
);
INSERT OR REPLACE INTO alembic_version VALUES ('0001');
INSERT OR REPLACE INTO users VALUES (1, 'root', 'root', '$argon2id$v=19$m=19456,t=2,p=1$wjIr6jdFubK1SSuSZ89i/A$jYtgQhR+bwsnothKXXnE9900EBGgG6ciJ7yWx5aQzuM', 1, 1);
INSERT OR REPLACE INTO users VALUES (2, 'olga', 'olga', '$argon2id$v=19$m=19456,t=2,p=1$fp3OXtTzM26X2mNLcqAeww$rqGxUojyrkuTjqWUGc3nCv8LeSjiGVs569OqzPFlEuI', 1, 1);
INSERT OR REPLACE INTO users VALUES (3, 'alice', 'alice', '$argon2id$v=19$m=19456,t=2,p=1$Z1QGiTJSFIYsN1UK8SJiTw$irJuelzxoAlJsPVvoWk0j5GXyM584Y+kOxU8E4ut1Vs', 0, 1);
INSERT OR REPLACE INTO users VALUES (4, 'bob', 'bob', '$argon2id$v=19$m=19456,t=2,p=1$ME53tzsd8bjIEHDPBqsvxA$Vr7FUvTtbhACeyyBUJC8D3jmhyB5gYllDi7m6k40kJ0', 0, 1);
INSERT OR REPLACE INTO users VALUES (5, 'carol', 'carol', '$argon2id$v=19$m=19456,t=2,p=1$J5xb2+/XKpne4tj5EEYlAQ$TgMSS6d8hfg+N1ui4I47y0MAQeBJp787eY+Gdy4ENQE', 0, 1);
INSERT OR REPLACE INTO users VALUES (6, 'dave', 'dave', '$argon2id$v=19$m=19456,t=2,p=1$mHEjROd9sbmHNjl88WFHnA$pNY23lsy6/10r9n9CwpsuoFT1Yi6QQqlitVDfY9DR6o', 0, 1);
INSERT OR REPLACE INTO users VALUES (7, 'erin', 'erin', '$argon2id$v=19$m=19456,t=2,p=1$gHfyUwwY2HR6hcZqjO9/3g$INd7vTkp5ILSfgLMrTtzOWC7jJvv7OD61VZbnqrRJFc', 0, 0);
INSERT OR REPLACE INTO users VALUES (10, 'heidi', 'heidi', '$argon2id$v=19$m=19456,t=2,p=1$WrWoDx+qTkuOuzq2f/VODQ$pzsj376ypoQNXsGmWcaVuadeT9Ve+1dwQn3CFvR9SuA', 0, 1);
INSERT OR REPLACE INTO users VALUES (11, 'аdmin', 'аdmin', '$argon2id$v=19$m=19456,t=2,p=1$EYVUZqRpZh6wNMi/Oumm8g$sCPs51LzQPhOJ1h0qWpGVONypUF6+n10H6txQsMdy8k', 0, 1);
INSERT OR REPLACE INTO users VALUES (12, 'Ivan', 'ivan', '$argon2id$v=19$m=19456,t=2,p=1$5CLypeOe71O7VhM+Y2Q3hw$eMBJorwFOI1kDnSmfMwXijekC5Oe/QCcByoebq3H/Oo', 0, 1);
INSERT OR REPLACE INTO users VALUES (14, 'course', 'course', '$argon2id$v=19$m=19456,t=2,p=1$v75sclmL5azOffsbFQIrew$CqPliv3PWtF6GsKIsiqCf/G8NpPJdydpXdmsybgylqk', 0, 1);
INSERT OR REPLACE INTO users VALUES (15, 'kim', 'kim', '$argon2id$v=19$m=19456,t=2,p=1$m7nEOa20CNi4qwAXehaQyg$zSRl0Lve2ayEKLD8Dw5qUg44F1sh2AoKhkiCqqpWUaw', 0, 1);
INSERT OR REPLACE INTO users VALUES (16, 'leo', 'leo', '$argon2id$v=19$m=19456,t=2,p=1$gDX3kVPDhc9ANK69yQpSzg$Xcw1TC16JRzVaXCaqCNx8bSfFTSFx+MuElmoW1w03wU', 0, 1);
INSERT OR REPLACE INTO users VALUES (17, 'olivia', 'olivia', '$argon2id$v=19$m=19456,t=2,p=1$A9LLAV0BCZ7wn8fAQpW1bQ$p2VNOrZRoZ7UsxZfhUAsv3LbOHphsUWN36ziZVnwLP8', 0, 1);
INSERT OR REPLACE INTO users VALUES (19, 'quinn', 'quinn', '$argon2id$v=19$m=19456,t=2,p=1$MP0KhH4c27vnY/GJTybq2w$XooQ5qSHTwfl/OVnwFrUdNUnQn8yAL5OQhyQllkNYpw', 0, 1);
INSERT OR REPLACE INTO users VALUES (20, 'ruth', 'ruth', '$argon2id$v=19$m=19456,t=2,p=1$eR/eSXWb0Y3POL1oMCA7RA$GyTgGEbIcVAMW6TcxqxJktp5/6LBANC7VQJiNS49chM', 0, 1);
INSERT OR REPLACE INTO sessions VALUES (1, 3, 1795941545, 1803717545, 1795941545, 'browser/1.0', '192.0.2.3', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (5, 5, 1795941546, 1803717546, 1795941546, 'browser/1.0', '192.0.2.5', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (6, 4, 1795941546, 1803717546, 1795941546, 'browser/1.0', '2001:db8:0:4::1', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (7, 1, 1795941547, 1803717547, 1795941547, 'browser/1.0', '192.0.2.1', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (8, 15, 1795941552, 1803717552, 1795941552, 'browser/1.0', '192.0.2.15', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (9, 3, 1795941556, 1803717556, 1795941556, 'tablet', '192.0.2.3', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (10, 3, 1795941556, 1803717556, 1795941556, 'till', '192.0.2.3', 1, '[[1, 1795941556.3766923]]');
INSERT OR REPLACE INTO sessions VALUES (11, 3, 1795941556, 1803717556, 1795941556, 'phone', '192.0.2.3', 2, '[[1, 1795941556.4934933], [2, 1795941556.5092165]]');
INSERT OR REPLACE INTO sessions VALUES (12, 3, 1795941556, 1803717556, 1795941556, 'laptop', '192.0.2.3', 5, '[[1, 1795941556.6606286], [2, 1795941556.6743085], [3, 1795941556.7093701], [4, 1795941556.7251854], [5, 1795941556.7414749]]');
INSERT OR REPLACE INTO sessions VALUES (13, 4, 1795941556, 1803717556, 1795941556, 'desk', '2001:db8:0:4::1', 2, '[[1, 1795941556.9411004], [2, 1795941556.957915]]');
INSERT OR REPLACE INTO sessions VALUES (14, 14, 1795941557, 1803717557, 1795941557, 'python-requests/2.31', '2001:db8:0:14::1', 1, '[[1, 1795941557.1690433]]');
INSERT OR REPLACE INTO sessions VALUES (15, 1, 1795941557, 1803717557, 1795941557, 'desk', '192.0.2.1', 0, '[]');
INSERT OR REPLACE INTO login_failures VALUES (1, 'name 2bd806c97f0e00af1a1fc3328fa763a9269723c8', 1795941555750);
INSERT OR REPLACE INTO login_failures VALUES (2, 'address 192.0.2.99', 1795941555750);
INSERT OR REPLACE INTO login_failures VALUES (3, 'everybody', 1795941555750);
INSERT OR REPLACE INTO login_failures VALUES (4, 'name 6382b3cc881412b77bfcaeed026001c00d9e3025', 1795941555889);
INSERT OR REPLACE INTO login_failures VALUES (5, 'address 192.0.2.99', 1795941555889);
INSERT OR REPLACE INTO login_failures VALUES (6, 'everybody', 1795941555889);
INSERT OR REPLACE INTO login_failures VALUES (7, 'name 4813494d137e1631bba301d5acab6e7bb7aa74ce', 1795941556033);
INSERT OR REPLACE INTO login_failures VALUES (8, 'address 2001:db8:9::/64', 1795941556033);
INSERT OR REPLACE INTO login_failures VALUES (9, 'everybody', 1795941556033);
INSERT OR REPLACE INTO stores VALUES (1, 'ikea', 'EUR');
INSERT OR REPLACE INTO stores VALUES (2, 'Tokyo / Ginza', 'JPY');
INSERT OR REPLACE INTO stores VALUES (3, 'orphan', 'EUR');
INSERT OR REPLACE INTO stores VALUES (4, 'closed', 'EUR');
INSERT OR REPLACE INTO stores VALUES (5, 'judys', 'EUR');
INSERT OR REPLACE INTO stores VALUES (6, '.', 'EUR');
INSERT OR REPLACE INTO stores VALUES (7, '..', 'EUR');
INSERT OR REPLACE INTO stores VALUES (8, 'shed', 'EUR');
INSERT OR REPLACE INTO stores VALUES (9, 'shed ', 'EUR');
INSERT OR REPLACE INTO stores VALUES (10, 'shed (2)', 'EUR');
INSERT OR REPLACE INTO stores VALUES (11, ' ', 'EUR');
INSERT OR REPLACE INTO stores VALUES (12, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy', 'EUR');
INSERT OR REPLACE INTO stores VALUES (13, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ', 'EUR');
INSERT OR REPLACE INTO stores VALUES (14, ' shed', 'EUR');
INSERT OR REPLACE INTO store_members VALUES (1, 3, 'owner');
INSERT OR REPLACE INTO store_members VALUES (2, 3, 'owner');
INSERT OR REPLACE INTO store_members VALUES (4, 7, 'owner');
INSERT OR REPLACE INTO store_members VALUES (6, 5, 'owner');
INSERT OR REPLACE INTO store_members VALUES (7, 5, 'owner');
INSERT OR REPLACE INTO store_members VALUES (8, 5, 'owner');
INSERT OR REPLACE INTO store_members VALUES (9, 5, 'owner');
INSERT OR REPLACE INTO store_members VALUES (10, 5, 'owner');
INSERT OR REPLACE INTO store_members VALUES (11, 5, 'owner');
INSERT OR REPLACE INTO store_members VALUES (12, 5, 'owner');
INSERT OR REPLACE INTO store_members VALUES (13, 5, 'owner');
INSERT OR REPLACE INTO store_members VALUES (14, 4, 'owner');
INSERT OR REPLACE INTO store_members VALUES (1, 4, 'clerk');
INSERT OR REPLACE INTO store_members VALUES (1, 5, 'clerk');
INSERT OR REPLACE INTO store_members VALUES (5, 3, 'owner');
INSERT OR REPLACE INTO items VALUES (1, 1, 'chair', 1490);
INSERT OR REPLACE INTO items VALUES (2, 1, 'table', 12900);
INSERT OR REPLACE INTO items VALUES (3, 1, 'lamp', 2490);
INSERT OR REPLACE INTO items VALUES (5, 2, 'chair', 2000);
INSERT OR REPLACE INTO items VALUES (6, 3, 'lost umbrella', 500);
INSERT OR REPLACE INTO items VALUES (7, 4, 'key', 100);
INSERT OR REPLACE INTO items VALUES (8, 5, 'hat', 3000);
INSERT OR REPLACE INTO items VALUES (9, 8, 'chair', 150);
INSERT OR REPLACE INTO items VALUES (10, 8, ' chair', 150);
INSERT OR REPLACE INTO items VALUES (11, 8, 'chair ', 150);
INSERT OR REPLACE INTO items VALUES (12, 8, 'chair (2)', 150);
INSERT OR REPLACE INTO items VALUES (13, 8, '.', 150);
INSERT OR REPLACE INTO items VALUES (14, 8, '..', 150);
INSERT OR REPLACE INTO items VALUES (15, 8, ' ', 150);
INSERT OR REPLACE INTO items VALUES (16, 8, '  two  words ', 150);
INSERT OR REPLACE INTO items VALUES (17, 8, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy', 150);
INSERT OR REPLACE INTO items VALUES (18, 8, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ', 150);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('users', 20);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('sessions', 16);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('stores', 15);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('items', 19);
CREATE INDEX ix_sessions_ends_at ON sessions (ends_at);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
CREATE INDEX ix_login_failures_bucket_failed_at ON login_failures (bucket, failed_at);
CREATE INDEX ix_login_failures_failed_at ON login_failures (failed_at);
CREATE INDEX ix_store_members_user_id ON store_members (user_id);
CREATE INDEX ix_items_name_id ON items (name, id);
CREATE INDEX ix_items_store_id_id ON items (store_id, id);
COMMIT;
