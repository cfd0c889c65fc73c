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
	currency VARCHAR(3) NOT NULL, negative_stock BOOLEAN DEFAULT 0 NOT NULL, version BIGINT DEFAULT '1' NOT NULL, 
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
	price_minor BIGINT NOT NULL, sku VARCHAR, barcode VARCHAR, description VARCHAR DEFAULT '' NOT NULL, tags VARCHAR DEFAULT '' NOT NULL, stock BIGINT DEFAULT '0' NOT NULL, archived_at BIGINT, image VARCHAR, updated_at BIGINT DEFAULT '0' NOT NULL, version BIGINT DEFAULT '1' NOT NULL, 
	CONSTRAINT uq_items_store_id UNIQUE (store_id, name), 
	CONSTRAINT ck_items_price CHECK (price_minor >= 0), 
	CONSTRAINT fk_items_store_id_stores FOREIGN KEY(store_id) REFERENCES stores (id)
);
CREATE TABLE imports (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	store_id INTEGER NOT NULL, 
	user_id INTEGER, 
	state VARCHAR(9) NOT NULL, 
	is_dry_run BOOLEAN NOT NULL, 
	skips_refused BOOLEAN NOT NULL, 
	"match" VARCHAR(7) NOT NULL, 
	options JSON NOT NULL, 
	file VARCHAR NOT NULL, 
	file_name VARCHAR NOT NULL, 
	found JSON, 
	size BIGINT NOT NULL, 
	percent INTEGER NOT NULL, 
	rows BIGINT NOT NULL, 
	added BIGINT NOT NULL, 
	changed BIGINT NOT NULL, 
	unchanged BIGINT NOT NULL, 
	refused BIGINT NOT NULL, 
	reason VARCHAR, 
	runner VARCHAR, 
	beat_at BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	ended_at BIGINT, 
	CONSTRAINT fk_imports_store_id_stores FOREIGN KEY(store_id) REFERENCES stores (id) ON DELETE CASCADE, 
	CONSTRAINT fk_imports_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE import_refusals (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	import_id INTEGER NOT NULL, 
	line BIGINT NOT NULL, 
	field VARCHAR, 
	message VARCHAR NOT NULL, 
	CONSTRAINT fk_import_refusals_import_id_imports FOREIGN KEY(import_id) REFERENCES imports (id) ON DELETE CASCADE
);
CREATE VIRTUAL TABLE item_search USING fts5(
                title, body, content='', contentless_delete=1, detail=column, tokenize='ascii', prefix='1 2 3'
            );
CREATE TABLE changes (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at BIGINT NOT NULL, 
	user_id BIGINT, 
	request VARCHAR NOT NULL, 
	kind VARCHAR(6) NOT NULL, 
	action VARCHAR(8) NOT NULL, 
	store_id BIGINT, 
	subject_id BIGINT NOT NULL, 
	version BIGINT, 
	price_minor BIGINT, 
	"before" TEXT, 
	"after" TEXT
);
CREATE TABLE journal (
	id INTEGER NOT NULL, 
	last_id BIGINT NOT NULL, 
	last_at BIGINT NOT NULL, 
	CONSTRAINT pk_journal PRIMARY KEY (id)
);
CREATE TABLE idempotency_keys (
	"key" VARCHAR(64) NOT NULL, 
	request VARCHAR(64) NOT NULL, 
	result TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY ("key")
);
CREATE TABLE webhooks (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	url VARCHAR NOT NULL, 
	store_id BIGINT, 
	user_id INTEGER, 
	secret VARCHAR NOT NULL, 
	old_secret VARCHAR, 
	old_until BIGINT, 
	is_active BOOLEAN NOT NULL, 
	reason VARCHAR, 
	cursor BIGINT NOT NULL, 
	sender VARCHAR, 
	beat_at BIGINT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT fk_webhooks_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE SET NULL
);
CREATE TABLE deliveries (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	webhook_id INTEGER NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	change_id BIGINT, 
	state VARCHAR(9) NOT NULL, 
	attempts INTEGER NOT NULL, 
	status INTEGER, 
	error VARCHAR, 
	ms BIGINT, 
	created_at BIGINT NOT NULL, 
	tried_at BIGINT, 
	next_at BIGINT, 
	ended_at BIGINT, 
	CONSTRAINT uq_deliveries_webhook_id UNIQUE (webhook_id, type, change_id), 
	CONSTRAINT fk_deliveries_webhook_id_webhooks FOREIGN KEY(webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE
);
CREATE TABLE backups (
	made_at BIGINT NOT NULL, 
	CONSTRAINT pk_backups PRIMARY KEY (made_at)
);
INSERT OR REPLACE INTO alembic_version VALUES ('0007');
INSERT OR REPLACE INTO users VALUES (1, 'root', 'root', '$argon2id$v=19$m=19456,t=2,p=1$qD6ALjLO2EuDz3x258+qOA$hxQcpbpgYmnpL6PuJluM9924PrgXpu2ZMwIwgKOBccY', 1, 1);
INSERT OR REPLACE INTO users VALUES (2, 'olga', 'olga', '$argon2id$v=19$m=19456,t=2,p=1$RMxfcb1RTO0IEoJubQ9DkQ$lMcvuuJgb/GlhhhsyCrRacCWxkSzSenqboFl9wtnL8I', 1, 1);
INSERT OR REPLACE INTO users VALUES (3, 'alice', 'alice', '$argon2id$v=19$m=19456,t=2,p=1$vnhsm8ew2mbnSa+MifvJ3Q$cpt73TlR6NvgWnX+AmxnJAv/hbUAOp8pX/YMNV4/DN8', 0, 1);
INSERT OR REPLACE INTO users VALUES (4, 'bob', 'bob', '$argon2id$v=19$m=19456,t=2,p=1$S3Zm+GiAInHVmrBCgr2lVA$5DsrXFKOHatv4GkUYVGIwzuOBD68QjhmS3NrlwV5qlU', 0, 1);
INSERT OR REPLACE INTO users VALUES (5, 'carol', 'carol', '$argon2id$v=19$m=19456,t=2,p=1$ZOme/t1vM7Lq27b3KtUd8g$KYt0LUXf+Lpt4sjNYzs4Xjx6TPXMjc/U2BU0KAAd56A', 0, 1);
INSERT OR REPLACE INTO users VALUES (6, 'dave', 'dave', '$argon2id$v=19$m=19456,t=2,p=1$Ezt8LBQsit9QxrLsPNb6XA$kxgQEJtVarmhfEgvAo/cN0cPQfdpj94rp5cg4nzya14', 0, 1);
INSERT OR REPLACE INTO users VALUES (7, 'erin', 'erin', '$argon2id$v=19$m=19456,t=2,p=1$IcPgRepRYY1OAA/v285fAQ$U9MsPY+GUAwh948t77U7yfLH8YjOgFLjEd09KCJXWaQ', 0, 0);
INSERT OR REPLACE INTO users VALUES (10, 'heidi', 'heidi', '$argon2id$v=19$m=19456,t=2,p=1$WLQej4d42ELDKEkXEedkFQ$CfJR/srCulcZAuXXcdwEo2pMirok76LJHtMeVIx60JM', 0, 1);
INSERT OR REPLACE INTO users VALUES (11, 'аdmin', 'аdmin', '$argon2id$v=19$m=19456,t=2,p=1$Wh5xNWHj9dwNWy/Ug1wS9Q$K2sHdx030+C202msWnB1lbG+Ude+76X3NWjU7HVWXns', 0, 1);
INSERT OR REPLACE INTO users VALUES (12, 'Ivan', 'ivan', '$argon2id$v=19$m=19456,t=2,p=1$rIBmRZJHvB5DUuN/26gsRA$6Scj4s91nDBe1Mzmo0fnH18chendVNDK0bzAadcL4dg', 0, 1);
INSERT OR REPLACE INTO users VALUES (14, 'course', 'course', '$argon2id$v=19$m=19456,t=2,p=1$9UVEOlVD1zUbJar7Q9UKpA$cbdpHk0KsDXSiZKE0o60DJAWFelnThZl0UlYG37krDg', 0, 1);
INSERT OR REPLACE INTO users VALUES (15, 'kim', 'kim', '$argon2id$v=19$m=19456,t=2,p=1$3TXV6thOzbSzAU3apBCuZg$DlfoXbi1sKw7N48jToLU+jKRa0B6kMA9YA23+OVCEGc', 0, 1);
INSERT OR REPLACE INTO users VALUES (16, 'leo', 'leo', '$argon2id$v=19$m=19456,t=2,p=1$1EBvvauNGV7e1gU645FpRA$3+Qrnk3D0adrdjUZp1qZbAovjH5+G7D8O0UdMC7T7xk', 0, 1);
INSERT OR REPLACE INTO users VALUES (17, 'olivia', 'olivia', '$argon2id$v=19$m=19456,t=2,p=1$cwztpwukFFfhFkyPw8RYUg$l8b0qBM29a30rGdZ9OL6ARx4roxFlVHT0rrVyBbwwvk', 0, 1);
INSERT OR REPLACE INTO users VALUES (19, 'quinn', 'quinn', '$argon2id$v=19$m=19456,t=2,p=1$L8Xbx5etUP0BSvutywV+pg$Xkrs0CtxoDMjZiwITowarH1GxiR1wIh+ATsptroaf0A', 0, 1);
INSERT OR REPLACE INTO users VALUES (20, 'ruth', 'ruth', '$argon2id$v=19$m=19456,t=2,p=1$F1Xs+Vn2NJYgf1zC36Y1hg$lKYtvoecOm7FgfR7QvOACP0mmmZXzF4aMWVUZF/lgwQ', 0, 1);
INSERT OR REPLACE INTO sessions VALUES (1, 3, 1795941665, 1803717665, 1795941720, 'browser/1.0', '192.0.2.3', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (5, 5, 1795941666, 1803717666, 1795941666, 'browser/1.0', '192.0.2.5', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (6, 4, 1795941666, 1803717666, 1795941666, 'browser/1.0', '2001:db8:0:4::1', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (7, 1, 1795941667, 1803717667, 1795941720, 'browser/1.0', '192.0.2.1', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (9, 10, 1795941694, 1803717694, 1795941694, 'browser/1.0', '2001:db8:0:10::1', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (10, 16, 1795941694, 1803717694, 1795941694, 'browser/1.0', '2001:db8:0:16::1', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (11, 15, 1795941720, 1803717720, 1795941720, 'browser/1.0', '192.0.2.15', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (12, 3, 1795941726, 1803717726, 1795941726, 'tablet', '192.0.2.3', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (13, 3, 1795941726, 1803717726, 1795941726, 'till', '192.0.2.3', 1, '[[1, 1795941726.215766]]');
INSERT OR REPLACE INTO sessions VALUES (14, 3, 1795941726, 1803717726, 1795941726, 'phone', '192.0.2.3', 2, '[[1, 1795941726.3733652], [2, 1795941726.3900423]]');
INSERT OR REPLACE INTO sessions VALUES (15, 3, 1795941726, 1803717726, 1795941726, 'laptop', '192.0.2.3', 5, '[[1, 1795941726.519965], [2, 1795941726.522469], [3, 1795941726.525207], [4, 1795941726.528272], [5, 1795941726.5308192]]');
INSERT OR REPLACE INTO sessions VALUES (16, 4, 1795941726, 1803717726, 1795941726, 'desk', '2001:db8:0:4::1', 2, '[[1, 1795941726.6570354], [2, 1795941726.6644714]]');
INSERT OR REPLACE INTO sessions VALUES (17, 14, 1795941726, 1803717726, 1795941726, 'python-requests/2.31', '2001:db8:0:14::1', 1, '[[1, 1795941726.8725212]]');
INSERT OR REPLACE INTO sessions VALUES (18, 1, 1795941727, 1803717727, 1795941727, 'desk', '192.0.2.1', 0, '[]');
INSERT OR REPLACE INTO sessions VALUES (19, 3, 1795941728, 1803717728, 1795941728, '', '192.0.2.3', 0, '[]');
INSERT OR REPLACE INTO login_failures VALUES (1, 'name 2bd806c97f0e00af1a1fc3328fa763a9269723c8', 1795941725680);
INSERT OR REPLACE INTO login_failures VALUES (2, 'address 192.0.2.99', 1795941725680);
INSERT OR REPLACE INTO login_failures VALUES (3, 'everybody', 1795941725680);
INSERT OR REPLACE INTO login_failures VALUES (4, 'name 6382b3cc881412b77bfcaeed026001c00d9e3025', 1795941725985);
INSERT OR REPLACE INTO login_failures VALUES (5, 'address 192.0.2.99', 1795941725985);
INSERT OR REPLACE INTO login_failures VALUES (6, 'everybody', 1795941725985);
INSERT OR REPLACE INTO login_failures VALUES (7, 'name 4813494d137e1631bba301d5acab6e7bb7aa74ce', 1795941726036);
INSERT OR REPLACE INTO login_failures VALUES (8, 'address 2001:db8:9::/64', 1795941726036);
INSERT OR REPLACE INTO login_failures VALUES (9, 'everybody', 1795941726036);
INSERT OR REPLACE INTO stores VALUES (1, 'ikea', 'EUR', 1, 2);
INSERT OR REPLACE INTO stores VALUES (2, 'Tokyo / Ginza', 'JPY', 0, 1);
INSERT OR REPLACE INTO stores VALUES (3, 'orphan', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (4, 'closed', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (5, 'judys', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (6, '.', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (7, '..', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (8, 'shed', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (9, 'shed ', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (10, 'shed (2)', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (11, ' ', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (12, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (13, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ', 'EUR', 0, 1);
INSERT OR REPLACE INTO stores VALUES (14, ' shed', 'EUR', 0, 1);
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
INSERT OR REPLACE INTO items VALUES (1, 1, 'chair', 1490, 'CH-15', '4006381333931', 'Oak, oiled.', 'garden;oak', 11, NULL, '4dab5959a656d8c3fdef42ebec35f3f675b62d92fdc0d182ea9e7836acd21616', 1795941707, 6);
INSERT OR REPLACE INTO items VALUES (2, 1, 'table', 12900, NULL, NULL, '', '', 0, 1795941668, NULL, 1795941668, 2);
INSERT OR REPLACE INTO items VALUES (3, 1, 'lamp', 2490, NULL, NULL, '', '', -3, NULL, NULL, 1795941668, 4);
INSERT OR REPLACE INTO items VALUES (5, 2, 'chair', 2000, NULL, NULL, '', '', 0, NULL, NULL, 1795941666, 1);
INSERT OR REPLACE INTO items VALUES (6, 3, 'lost umbrella', 500, NULL, NULL, '', '', 0, NULL, 'c6e3e2ecdd0f1e1a5847095415969e44128ee3eebd658df35bbc6673586cd464', 1795941668, 2);
INSERT OR REPLACE INTO items VALUES (7, 4, 'key', 200, NULL, NULL, '', '', 0, NULL, NULL, 1795941707, 2);
INSERT OR REPLACE INTO items VALUES (8, 5, 'hat', 3100, NULL, NULL, '', '', 0, NULL, NULL, 1795941707, 2);
INSERT OR REPLACE INTO items VALUES (9, 8, 'chair', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941667, 1);
INSERT OR REPLACE INTO items VALUES (10, 8, ' chair', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941667, 1);
INSERT OR REPLACE INTO items VALUES (11, 8, 'chair ', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941667, 1);
INSERT OR REPLACE INTO items VALUES (12, 8, 'chair (2)', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941667, 1);
INSERT OR REPLACE INTO items VALUES (13, 8, '.', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941667, 1);
INSERT OR REPLACE INTO items VALUES (14, 8, '..', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941667, 1);
INSERT OR REPLACE INTO items VALUES (15, 8, ' ', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941667, 1);
INSERT OR REPLACE INTO items VALUES (16, 8, '  two  words ', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941667, 1);
INSERT OR REPLACE INTO items VALUES (17, 8, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941667, 1);
INSERT OR REPLACE INTO items VALUES (18, 8, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941667, 1);
INSERT OR REPLACE INTO items VALUES (21, 1, 'shelf', 4900, NULL, NULL, '', '', 0, NULL, NULL, 1795941668, 1);
INSERT OR REPLACE INTO items VALUES (22, 1, 'bed ', 19900, NULL, NULL, '', '', 0, NULL, NULL, 1795941668, 1);
INSERT OR REPLACE INTO items VALUES (23, 1, 'cushion', 1250, NULL, NULL, '', '', 4, NULL, NULL, 1795941673, 1);
INSERT OR REPLACE INTO items VALUES (24, 1, 'vase', 700, NULL, NULL, '', '', 1, NULL, NULL, 1795941673, 1);
INSERT OR REPLACE INTO imports VALUES (1, 1, 3, 'done', 0, 0, 'name', '{"format": "auto", "encoding": "auto", "delimiter": "auto", "decimal": "auto", "columns": {}, "sheet": null}', 'imports/8845d9f3baf706d72fc1e9cbb5fc6b51', 'done.csv', '{"format": "csv", "encoding": "utf-8", "delimiter": ",", "columns": ["name", "price", "stock"], "ignored": []}', 42, 100, 2, 2, 0, 0, 0, NULL, '91d5c6df5f7d5e5a', 1795941673, 1795941668, 1795941673);
INSERT OR REPLACE INTO imports VALUES (2, 1, 4, 'planned', 1, 0, 'name', '{"format": "auto", "encoding": "auto", "delimiter": "auto", "decimal": "auto", "columns": {}, "sheet": null}', 'imports/f3bfb1d1e91eb2b3625bf2c5ba933a07', 'planned.csv', '{"format": "csv", "encoding": "utf-8", "delimiter": ",", "columns": ["name", "price"], "ignored": []}', 21, 100, 1, 1, 0, 0, 0, NULL, 'b9f1fff460c5bf9b', 1795941678, 1795941673, 1795941678);
INSERT OR REPLACE INTO imports VALUES (3, 1, 4, 'refused', 0, 0, 'name', '{"format": "auto", "encoding": "auto", "delimiter": "auto", "decimal": "auto", "columns": {}, "sheet": null}', 'imports/ad64d0eed5e932b29ee69954c202bce9', 'refused.csv', '{"format": "csv", "encoding": "utf-8", "delimiter": ",", "columns": ["name", "price"], "ignored": []}', 32, 100, 2, 1, 0, 0, 1, NULL, 'd5a8504c81efae5b', 1795941683, 1795941679, 1795941683);
INSERT OR REPLACE INTO imports VALUES (4, 1, 5, 'cancelled', 1, 0, 'name', '{"format": "auto", "encoding": "auto", "delimiter": "auto", "decimal": "auto", "columns": {}, "sheet": null}', 'imports/5a31c1dea373906d9efda1ba30019b5a', 'cancelled.csv', '{"format": "csv", "encoding": "utf-8", "delimiter": ",", "columns": ["name", "price"], "ignored": []}', 19, 100, 0, 0, 0, 0, 0, NULL, '353ae0c23b2acef2', 1795941688, 1795941683, 1795941688);
INSERT OR REPLACE INTO import_refusals VALUES (1, 3, 2, 'price', 'A price is a number such as 15.99, without a sign, a currency or an exponent.');
INSERT OR REPLACE INTO item_search_data VALUES (1, X'191C1F');
INSERT OR REPLACE INTO item_search_data VALUES (10, X'00000000FF00000102081B0008110101011001021001010111110000010201011212000001030101131301010104010114140000010501011515010101060101161600000207010117170000020000');
INSERT OR REPLACE INTO item_search_data VALUES (137438953473, X'000000915030797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979791102020104C2A77338110203000231791102020102C2A711020300033279791102020103C2A7731102030004337979791102020104C2A773381102030454090707080809');
INSERT OR REPLACE INTO item_search_data VALUES (274877906945, X'000000915030797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979791202020104C2A77338120203000231791202020102C2A712020300033279791202020103C2A7731202030004337979791202020104C2A773381202030454090707080809');
INSERT OR REPLACE INTO item_search_data VALUES (412316860417, X'00000047053073616E641302020105C2A7733135130203000231731302020102C2A713020300033273611302020103C2A77313020300043373616E1302020104C2A7733113020304090A0707080809');
INSERT OR REPLACE INTO item_search_data VALUES (549755813889, X'0000010303303135010202010D34303036333831333333393331010202010263680102020303616972010202010667617264656E01020301036F616B0102030204696C65640102030104C2A77331010203030D74363736313732363436353665010203050566363136620102030002313101020201013401020201016301020201016701020301016F0102030102C2A7010203000332313501020201023430010202010263680102020102676101020301026F610102030201690102030103C2A7730102030301740102030004333430300102020103636861010202010367617201020301036F616B0102030202696C0102030104C2A773310102030302743601020304071207080B080909120A0706060606070807070707060806090808080709');
INSERT OR REPLACE INTO item_search_data VALUES (687194767361, X'000000480730706F737465721402020104C2A77331140203000231701402020102C2A7140203000332706F1402020103C2A773140203000433706F731402020104C2A77331140203040B090707080809');
INSERT OR REPLACE INTO item_search_data VALUES (824633720833, X'00000070043062656416020201057368656C661502020104C2A77331150203010203000231621602020101731502020102C2A71502030102030003326265160202010273681502020103C2A77315020301020300043362656416020201037368651502020104C2A7733115020301020304080A0C07060A08070B0908');
INSERT OR REPLACE INTO item_search_data VALUES (962072674305, X'00000073083063757368696F6E1702020104766173651802020104C2A77331170203010203000231631702020101761802020102C2A71702030102030003326375170202010276611802020103C2A77317020301020300043363757317020201037661731802020104C2A77331170203010203040C090C07060A08070B0908');
INSERT OR REPLACE INTO item_search_data VALUES (2336462209025, X'000002650230320C020201056368616972010202040202040202010202010202010202010368617408020201036B657907020201046C616D7003020202036F7374060202010372756704020201057461626C650202020202776F1002020108756D6272656C6C610602020105776F7264731002020104C2A77331010203010203010203010203040132050203040133060203040134070203040135080203040138090203010203010203010203010203010203010203010203000231320C020201016301020204020204020201020201020201020201016808020201016B07020201016C0302020302020101720402020101740202020E02020101750602020101771002020102C2A701020301020301020301020301020301020301020301020301020301020301020301020301020301020301020301020300033263680102020402020402020102020102020102020102686108020201026B6507020201026C6103020202016F06020201027275040202010274610202020201771002020102756D0602020102776F1002020103C2A773010203010203010203010203010203010203010203010203010203010203010203010203010203010203010203010203000433636861010202040202040202010202010202010202010368617408020201036B657907020201036C616D03020202026F73060202010372756704020201037461620202020202776F1002020103756D620602020103776F721002020104C2A7733101020301020301020301020304013205020304013306020304013407020304013508020304013809020301020301020301020301020301020301020301020304061908080908080A070D0A12060606061B071506060906090606341707070706070706070735180808080708080708081206060606');
INSERT OR REPLACE INTO item_search_data VALUES (9007611571601408, X'04000000000000010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000013000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000');
INSERT OR REPLACE INTO item_search_data VALUES (9007886449508352, X'04000000000000010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000140000000000000000000000000000000000000000000000000000000000000000000000000000000000000000');
INSERT OR REPLACE INTO item_search_data VALUES (9009535716950016, X'04000000000000020000000000000001000000000000000000000004000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000');
INSERT OR REPLACE INTO item_search_idx VALUES (1, X'', 2);
INSERT OR REPLACE INTO item_search_idx VALUES (2, X'', 2);
INSERT OR REPLACE INTO item_search_idx VALUES (3, X'', 2);
INSERT OR REPLACE INTO item_search_idx VALUES (4, X'', 2);
INSERT OR REPLACE INTO item_search_idx VALUES (5, X'', 2);
INSERT OR REPLACE INTO item_search_idx VALUES (6, X'', 2);
INSERT OR REPLACE INTO item_search_idx VALUES (7, X'', 2);
INSERT OR REPLACE INTO item_search_idx VALUES (17, X'', 2);
INSERT OR REPLACE INTO item_search_docsize VALUES (1, X'0407', 20);
INSERT OR REPLACE INTO item_search_docsize VALUES (2, X'0101', 2);
INSERT OR REPLACE INTO item_search_docsize VALUES (3, X'0101', 3);
INSERT OR REPLACE INTO item_search_docsize VALUES (5, X'0101', 5);
INSERT OR REPLACE INTO item_search_docsize VALUES (6, X'0201', 6);
INSERT OR REPLACE INTO item_search_docsize VALUES (7, X'0101', 7);
INSERT OR REPLACE INTO item_search_docsize VALUES (8, X'0101', 8);
INSERT OR REPLACE INTO item_search_docsize VALUES (9, X'0101', 9);
INSERT OR REPLACE INTO item_search_docsize VALUES (10, X'0101', 10);
INSERT OR REPLACE INTO item_search_docsize VALUES (11, X'0101', 11);
INSERT OR REPLACE INTO item_search_docsize VALUES (12, X'0201', 12);
INSERT OR REPLACE INTO item_search_docsize VALUES (13, X'0001', 13);
INSERT OR REPLACE INTO item_search_docsize VALUES (14, X'0001', 14);
INSERT OR REPLACE INTO item_search_docsize VALUES (15, X'0001', 15);
INSERT OR REPLACE INTO item_search_docsize VALUES (16, X'0201', 16);
INSERT OR REPLACE INTO item_search_docsize VALUES (17, X'0101', 17);
INSERT OR REPLACE INTO item_search_docsize VALUES (18, X'0101', 18);
INSERT OR REPLACE INTO item_search_docsize VALUES (21, X'0101', 22);
INSERT OR REPLACE INTO item_search_docsize VALUES (22, X'0101', 22);
INSERT OR REPLACE INTO item_search_docsize VALUES (23, X'0101', 23);
INSERT OR REPLACE INTO item_search_docsize VALUES (24, X'0101', 23);
INSERT OR REPLACE INTO item_search_config VALUES ('version', 4);
INSERT OR REPLACE INTO changes VALUES (1, 1795941642, NULL, 'ce5ad28333d1-0', 'user', 'create', NULL, 1, NULL, NULL, NULL, '{"id":1,"username":"root","is_admin":"root","is_active":"$argon2id$v=19$m=19456,t=2,p=1$qD6ALjLO2EuDz3x258+qOA$hxQcpbpgYmnpL6PuJluM9924PrgXpu2ZMwIwgKOBccY"}');
INSERT OR REPLACE INTO changes VALUES (2, 1795941647, NULL, '', 'user', 'create', NULL, 2, NULL, NULL, NULL, '{"id":2,"username":"olga","is_admin":"olga","is_active":"$argon2id$v=19$m=19456,t=2,p=1$RMxfcb1RTO0IEoJubQ9DkQ$lMcvuuJgb/GlhhhsyCrRacCWxkSzSenqboFl9wtnL8I"}');
INSERT OR REPLACE INTO changes VALUES (3, 1795941647, NULL, 'ce5ad28333d1-1', 'user', 'create', NULL, 3, NULL, NULL, NULL, '{"id":3,"username":"alice","is_admin":"alice","is_active":"$argon2id$v=19$m=19456,t=2,p=1$vnhsm8ew2mbnSa+MifvJ3Q$cpt73TlR6NvgWnX+AmxnJAv/hbUAOp8pX/YMNV4/DN8"}');
INSERT OR REPLACE INTO changes VALUES (4, 1795941647, NULL, 'ce5ad28333d1-2', 'user', 'create', NULL, 4, NULL, NULL, NULL, '{"id":4,"username":"bob","is_admin":"bob","is_active":"$argon2id$v=19$m=19456,t=2,p=1$S3Zm+GiAInHVmrBCgr2lVA$5DsrXFKOHatv4GkUYVGIwzuOBD68QjhmS3NrlwV5qlU"}');
INSERT OR REPLACE INTO changes VALUES (5, 1795941651, NULL, '', 'user', 'create', NULL, 5, NULL, NULL, NULL, '{"id":5,"username":"carol","is_admin":"carol","is_active":"$argon2id$v=19$m=19456,t=2,p=1$ZOme/t1vM7Lq27b3KtUd8g$KYt0LUXf+Lpt4sjNYzs4Xjx6TPXMjc/U2BU0KAAd56A"}');
INSERT OR REPLACE INTO changes VALUES (6, 1795941652, NULL, 'ce5ad28333d1-3', 'user', 'create', NULL, 6, NULL, NULL, NULL, '{"id":6,"username":"dave","is_admin":"dave","is_active":"$argon2id$v=19$m=19456,t=2,p=1$Ezt8LBQsit9QxrLsPNb6XA$kxgQEJtVarmhfEgvAo/cN0cPQfdpj94rp5cg4nzya14"}');
INSERT OR REPLACE INTO changes VALUES (7, 1795941652, NULL, 'ce5ad28333d1-4', 'user', 'create', NULL, 7, NULL, NULL, NULL, '{"id":7,"username":"erin","is_admin":"erin","is_active":"$argon2id$v=19$m=19456,t=2,p=1$IcPgRepRYY1OAA/v285fAQ$U9MsPY+GUAwh948t77U7yfLH8YjOgFLjEd09KCJXWaQ"}');
INSERT OR REPLACE INTO changes VALUES (8, 1795941652, NULL, 'ce5ad28333d1-5', 'user', 'create', NULL, 8, NULL, NULL, NULL, '{"id":8,"username":"frank","is_admin":"frank","is_active":"$argon2id$v=19$m=19456,t=2,p=1$J7Qn2OqK2EW8hYeYOqzVzg$yHNP1hWRI5cO8l5mz+r2gxzQ4mH88eOt7yGsoYTdAhM"}');
INSERT OR REPLACE INTO changes VALUES (9, 1795941656, NULL, '', 'user', 'create', NULL, 9, NULL, NULL, NULL, '{"id":9,"username":"grace","is_admin":"grace","is_active":"$argon2id$v=19$m=19456,t=2,p=1$PFd8lkNL+Km9HMONXf5STg$coyOH+N8eQYSd6E1qeoJpyZu7/BKmJkzapb9FwJLnEE"}');
INSERT OR REPLACE INTO changes VALUES (10, 1795941656, NULL, 'ce5ad28333d1-6', 'user', 'create', NULL, 10, NULL, NULL, NULL, '{"id":10,"username":"heidi","is_admin":"heidi","is_active":"$argon2id$v=19$m=19456,t=2,p=1$WLQej4d42ELDKEkXEedkFQ$CfJR/srCulcZAuXXcdwEo2pMirok76LJHtMeVIx60JM"}');
INSERT OR REPLACE INTO changes VALUES (11, 1795941656, NULL, 'ce5ad28333d1-7', 'user', 'create', NULL, 11, NULL, NULL, NULL, '{"id":11,"username":"аdmin","is_admin":"аdmin","is_active":"$argon2id$v=19$m=19456,t=2,p=1$Wh5xNWHj9dwNWy/Ug1wS9Q$K2sHdx030+C202msWnB1lbG+Ude+76X3NWjU7HVWXns"}');
INSERT OR REPLACE INTO changes VALUES (12, 1795941656, NULL, 'ce5ad28333d1-8', 'user', 'create', NULL, 12, NULL, NULL, NULL, '{"id":12,"username":"Ivan","is_admin":"ivan","is_active":"$argon2id$v=19$m=19456,t=2,p=1$rIBmRZJHvB5DUuN/26gsRA$6Scj4s91nDBe1Mzmo0fnH18chendVNDK0bzAadcL4dg"}');
INSERT OR REPLACE INTO changes VALUES (13, 1795941656, NULL, 'ce5ad28333d1-9', 'user', 'create', NULL, 13, NULL, NULL, NULL, '{"id":13,"username":"judy","is_admin":"judy","is_active":"$argon2id$v=19$m=19456,t=2,p=1$VrzbUbKlD++HvJ16MwDEAA$BRKOyAk78vC0QYlV4PnwQoLoKySAylsScuC4MAaabkY"}');
INSERT OR REPLACE INTO changes VALUES (14, 1795941656, NULL, 'ce5ad28333d1-10', 'user', 'create', NULL, 14, NULL, NULL, NULL, '{"id":14,"username":"course","is_admin":"course","is_active":"$argon2id$v=19$m=19456,t=2,p=1$9UVEOlVD1zUbJar7Q9UKpA$cbdpHk0KsDXSiZKE0o60DJAWFelnThZl0UlYG37krDg"}');
INSERT OR REPLACE INTO changes VALUES (15, 1795941656, NULL, 'ce5ad28333d1-11', 'user', 'create', NULL, 15, NULL, NULL, NULL, '{"id":15,"username":"kim","is_admin":"kim","is_active":"$argon2id$v=19$m=19456,t=2,p=1$rnpoACkymxzxFPTfK4hrbA$ESnhFR6X/89dJm6guhqZZccJop1gZrEwwllQ4591ClM"}');
INSERT OR REPLACE INTO changes VALUES (16, 1795941657, NULL, 'ce5ad28333d1-12', 'user', 'create', NULL, 16, NULL, NULL, NULL, '{"id":16,"username":"leo","is_admin":"leo","is_active":"$argon2id$v=19$m=19456,t=2,p=1$1EBvvauNGV7e1gU645FpRA$3+Qrnk3D0adrdjUZp1qZbAovjH5+G7D8O0UdMC7T7xk"}');
INSERT OR REPLACE INTO changes VALUES (17, 1795941660, NULL, '', 'user', 'create', NULL, 17, NULL, NULL, NULL, '{"id":17,"username":"olivia","is_admin":"olivia","is_active":"$argon2id$v=19$m=19456,t=2,p=1$cwztpwukFFfhFkyPw8RYUg$l8b0qBM29a30rGdZ9OL6ARx4roxFlVHT0rrVyBbwwvk"}');
INSERT OR REPLACE INTO changes VALUES (18, 1795941665, NULL, '', 'user', 'create', NULL, 18, NULL, NULL, NULL, '{"id":18,"username":"pete","is_admin":"pete","is_active":"$argon2id$v=19$m=19456,t=2,p=1$Uar7+nmEwNPJlRzYieSEZg$nyGNpJJn7Cg1tlL3+cOabUEvN24w0j8nYN4JpXwNC4s"}');
INSERT OR REPLACE INTO changes VALUES (19, 1795941665, NULL, 'ce5ad28333d1-13', 'user', 'create', NULL, 19, NULL, NULL, NULL, '{"id":19,"username":"quinn","is_admin":"quinn","is_active":"$argon2id$v=19$m=19456,t=2,p=1$L8Xbx5etUP0BSvutywV+pg$Xkrs0CtxoDMjZiwITowarH1GxiR1wIh+ATsptroaf0A"}');
INSERT OR REPLACE INTO changes VALUES (20, 1795941665, NULL, 'ce5ad28333d1-14', 'user', 'create', NULL, 20, NULL, NULL, NULL, '{"id":20,"username":"ruth","is_admin":"ruth","is_active":"$argon2id$v=19$m=19456,t=2,p=1$5JYLVR9vQfrWQQlIwo6toQ$ud8OBRZFiiYIo61GhhZM+lafo7g9/yJ4pTpvnEh7pJI"}');
INSERT OR REPLACE INTO changes VALUES (21, 1795941665, 3, 'ce5ad28333d1-16', 'store', 'create', 1, 1, 1, NULL, NULL, '{"id":1,"name":"ikea","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (22, 1795941665, 3, 'ce5ad28333d1-16', 'member', 'create', 1, 3, NULL, NULL, NULL, '{"user_id":3,"username":"alice","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (23, 1795941665, 3, 'ce5ad28333d1-17', 'store', 'create', 2, 2, 1, NULL, NULL, '{"id":2,"name":"Tokyo / Ginza","currency":"JPY","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (24, 1795941665, 3, 'ce5ad28333d1-17', 'member', 'create', 2, 3, NULL, NULL, NULL, '{"user_id":3,"username":"alice","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (25, 1795941666, 8, 'ce5ad28333d1-19', 'store', 'create', 3, 3, 1, NULL, NULL, '{"id":3,"name":"orphan","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (26, 1795941666, 8, 'ce5ad28333d1-19', 'member', 'create', 3, 8, NULL, NULL, NULL, '{"user_id":8,"username":"frank","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (27, 1795941666, 7, 'ce5ad28333d1-21', 'store', 'create', 4, 4, 1, NULL, NULL, '{"id":4,"name":"closed","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (28, 1795941666, 7, 'ce5ad28333d1-21', 'member', 'create', 4, 7, NULL, NULL, NULL, '{"user_id":7,"username":"erin","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (29, 1795941666, 13, 'ce5ad28333d1-23', 'store', 'create', 5, 5, 1, NULL, NULL, '{"id":5,"name":"judys","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (30, 1795941666, 13, 'ce5ad28333d1-23', 'member', 'create', 5, 13, NULL, NULL, NULL, '{"user_id":13,"username":"judy","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (31, 1795941666, 5, 'ce5ad28333d1-25', 'store', 'create', 6, 6, 1, NULL, NULL, '{"id":6,"name":".","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (32, 1795941666, 5, 'ce5ad28333d1-25', 'member', 'create', 6, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (33, 1795941666, 5, 'ce5ad28333d1-26', 'store', 'create', 7, 7, 1, NULL, NULL, '{"id":7,"name":"..","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (34, 1795941666, 5, 'ce5ad28333d1-26', 'member', 'create', 7, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (35, 1795941666, 5, 'ce5ad28333d1-27', 'store', 'create', 8, 8, 1, NULL, NULL, '{"id":8,"name":"shed","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (36, 1795941666, 5, 'ce5ad28333d1-27', 'member', 'create', 8, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (37, 1795941666, 5, 'ce5ad28333d1-28', 'store', 'create', 9, 9, 1, NULL, NULL, '{"id":9,"name":"shed ","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (38, 1795941666, 5, 'ce5ad28333d1-28', 'member', 'create', 9, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (39, 1795941666, 5, 'ce5ad28333d1-29', 'store', 'create', 10, 10, 1, NULL, NULL, '{"id":10,"name":"shed (2)","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (40, 1795941666, 5, 'ce5ad28333d1-29', 'member', 'create', 10, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (41, 1795941666, 5, 'ce5ad28333d1-30', 'store', 'create', 11, 11, 1, NULL, NULL, '{"id":11,"name":" ","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (42, 1795941666, 5, 'ce5ad28333d1-30', 'member', 'create', 11, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (43, 1795941666, 5, 'ce5ad28333d1-31', 'store', 'create', 12, 12, 1, NULL, NULL, '{"id":12,"name":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (44, 1795941666, 5, 'ce5ad28333d1-31', 'member', 'create', 12, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (45, 1795941666, 5, 'ce5ad28333d1-32', 'store', 'create', 13, 13, 1, NULL, NULL, '{"id":13,"name":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (46, 1795941666, 5, 'ce5ad28333d1-32', 'member', 'create', 13, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (47, 1795941666, 4, 'ce5ad28333d1-34', 'store', 'create', 14, 14, 1, NULL, NULL, '{"id":14,"name":" shed","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (48, 1795941666, 4, 'ce5ad28333d1-34', 'member', 'create', 14, 4, NULL, NULL, NULL, '{"user_id":4,"username":"bob","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (49, 1795941666, 4, 'ce5ad28333d1-35', 'store', 'create', 15, 15, 1, NULL, NULL, '{"id":15,"name":"gone","currency":"EUR","negative_stock":false,"version":1}');
INSERT OR REPLACE INTO changes VALUES (50, 1795941666, 4, 'ce5ad28333d1-35', 'member', 'create', 15, 4, NULL, NULL, NULL, '{"user_id":4,"username":"bob","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (51, 1795941666, 3, 'ce5ad28333d1-36', 'member', 'create', 1, 4, NULL, NULL, NULL, '{"user_id":4,"username":"bob","role":"clerk"}');
INSERT OR REPLACE INTO changes VALUES (52, 1795941666, 3, 'ce5ad28333d1-37', 'member', 'create', 1, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"clerk"}');
INSERT OR REPLACE INTO changes VALUES (53, 1795941666, 3, 'ce5ad28333d1-38', 'member', 'create', 1, 16, NULL, NULL, NULL, '{"user_id":16,"username":"leo","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (54, 1795941666, 3, 'ce5ad28333d1-39', 'member', 'create', 1, 9, NULL, NULL, NULL, '{"user_id":9,"username":"grace","role":"clerk"}');
INSERT OR REPLACE INTO changes VALUES (55, 1795941666, 13, 'ce5ad28333d1-40', 'member', 'create', 5, 3, NULL, NULL, NULL, '{"user_id":3,"username":"alice","role":"owner"}');
INSERT OR REPLACE INTO changes VALUES (56, 1795941666, 3, 'ce5ad28333d1-41', 'item', 'create', 1, 1, 1, 1590, NULL, '{"id":1,"name":"chair","price":15.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941666,"version":1}');
INSERT OR REPLACE INTO changes VALUES (57, 1795941666, 3, 'ce5ad28333d1-42', 'item', 'update', 1, 1, 2, 1490, '{"price":15.90}', '{"id":1,"name":"chair","price":14.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941666,"version":2}');
INSERT OR REPLACE INTO changes VALUES (58, 1795941666, 4, 'ce5ad28333d1-43', 'item', 'create', 1, 2, 1, 12900, NULL, '{"id":2,"name":"table","price":129.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941666,"version":1}');
INSERT OR REPLACE INTO changes VALUES (59, 1795941666, 4, 'ce5ad28333d1-44', 'item', 'create', 1, 3, 1, 2490, NULL, '{"id":3,"name":"lamp","price":24.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941666,"version":1}');
INSERT OR REPLACE INTO changes VALUES (60, 1795941666, 4, 'ce5ad28333d1-45', 'item', 'create', 1, 4, 1, 990, NULL, '{"id":4,"name":"rug","price":9.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941666,"version":1}');
INSERT OR REPLACE INTO changes VALUES (61, 1795941666, 3, 'ce5ad28333d1-46', 'item', 'create', 2, 5, 1, 2000, NULL, '{"id":5,"name":"chair","price":2000,"store_id":2,"currency":"JPY","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941666,"version":1}');
INSERT OR REPLACE INTO changes VALUES (62, 1795941666, 8, 'ce5ad28333d1-47', 'item', 'create', 3, 6, 1, 500, NULL, '{"id":6,"name":"lost umbrella","price":5.00,"store_id":3,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941666,"version":1}');
INSERT OR REPLACE INTO changes VALUES (63, 1795941666, 7, 'ce5ad28333d1-48', 'item', 'create', 4, 7, 1, 100, NULL, '{"id":7,"name":"key","price":1.00,"store_id":4,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941666,"version":1}');
INSERT OR REPLACE INTO changes VALUES (64, 1795941667, 13, 'ce5ad28333d1-49', 'item', 'create', 5, 8, 1, 3000, NULL, '{"id":8,"name":"hat","price":30.00,"store_id":5,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (65, 1795941667, 5, 'ce5ad28333d1-50', 'item', 'create', 8, 9, 1, 150, NULL, '{"id":9,"name":"chair","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (66, 1795941667, 5, 'ce5ad28333d1-51', 'item', 'create', 8, 10, 1, 150, NULL, '{"id":10,"name":" chair","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (67, 1795941667, 5, 'ce5ad28333d1-52', 'item', 'create', 8, 11, 1, 150, NULL, '{"id":11,"name":"chair ","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (68, 1795941667, 5, 'ce5ad28333d1-53', 'item', 'create', 8, 12, 1, 150, NULL, '{"id":12,"name":"chair (2)","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (69, 1795941667, 5, 'ce5ad28333d1-54', 'item', 'create', 8, 13, 1, 150, NULL, '{"id":13,"name":".","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (70, 1795941667, 5, 'ce5ad28333d1-55', 'item', 'create', 8, 14, 1, 150, NULL, '{"id":14,"name":"..","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (71, 1795941667, 5, 'ce5ad28333d1-56', 'item', 'create', 8, 15, 1, 150, NULL, '{"id":15,"name":" ","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (72, 1795941667, 5, 'ce5ad28333d1-57', 'item', 'create', 8, 16, 1, 150, NULL, '{"id":16,"name":"  two  words ","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (73, 1795941667, 5, 'ce5ad28333d1-58', 'item', 'create', 8, 17, 1, 150, NULL, '{"id":17,"name":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (74, 1795941667, 5, 'ce5ad28333d1-59', 'item', 'create', 8, 18, 1, 150, NULL, '{"id":18,"name":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (75, 1795941667, 4, 'ce5ad28333d1-60', 'item', 'create', 15, 19, 1, 100, NULL, '{"id":19,"name":"sand","price":1.00,"store_id":15,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}');
INSERT OR REPLACE INTO changes VALUES (76, 1795941667, 3, 'ce5ad28333d1-61', 'item', 'delete', 1, 4, 1, NULL, '{"id":4,"name":"rug","price":9.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941666,"version":1}', NULL);
INSERT OR REPLACE INTO changes VALUES (77, 1795941667, 4, 'ce5ad28333d1-62', 'item', 'delete', 15, 19, 1, NULL, '{"id":19,"name":"sand","price":1.00,"store_id":15,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":1}', NULL);
INSERT OR REPLACE INTO changes VALUES (78, 1795941667, 4, 'ce5ad28333d1-62', 'store', 'delete', 15, 15, 1, NULL, '{"id":15,"name":"gone","currency":"EUR","negative_stock":false,"version":1}', NULL);
INSERT OR REPLACE INTO changes VALUES (79, 1795941667, 1, 'ce5ad28333d1-64', 'user', 'update', NULL, 10, NULL, NULL, '{"is_admin":false}', '{"id":10,"username":"heidi","is_admin":true,"is_active":true}');
INSERT OR REPLACE INTO changes VALUES (80, 1795941667, 3, 'ce5ad28333d1-65', 'item', 'update', 1, 1, 3, NULL, '{"sku":null,"barcode":null,"description":"","tags":[]}', '{"id":1,"name":"chair","price":14.90,"store_id":1,"currency":"EUR","sku":"CH-15","barcode":"4006381333931","description":"Oak, oiled.","tags":["garden","oak"],"stock":0,"archived":false,"image":null,"updated_at":1795941667,"version":3}');
INSERT OR REPLACE INTO changes VALUES (81, 1795941668, 3, 'ce5ad28333d1-66', 'item', 'update', 1, 1, 4, NULL, '{"stock":0}', '{"id":1,"name":"chair","price":14.90,"store_id":1,"currency":"EUR","sku":"CH-15","barcode":"4006381333931","description":"Oak, oiled.","tags":["garden","oak"],"stock":12,"archived":false,"image":null,"updated_at":1795941668,"version":4}');
INSERT OR REPLACE INTO changes VALUES (82, 1795941668, 3, 'ce5ad28333d1-67', 'store', 'update', 1, 1, 2, NULL, '{"negative_stock":false}', '{"id":1,"name":"ikea","currency":"EUR","negative_stock":true,"version":2}');
INSERT OR REPLACE INTO changes VALUES (83, 1795941668, 3, 'ce5ad28333d1-68', 'item', 'update', 1, 3, 2, NULL, '{"stock":0}', '{"id":3,"name":"lamp","price":24.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":-3,"archived":false,"image":null,"updated_at":1795941668,"version":2}');
INSERT OR REPLACE INTO changes VALUES (84, 1795941668, 3, 'ce5ad28333d1-69', 'item', 'update', 1, 2, 2, NULL, '{"archived":false}', '{"id":2,"name":"table","price":129.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":true,"image":null,"updated_at":1795941668,"version":2}');
INSERT OR REPLACE INTO changes VALUES (85, 1795941668, 3, 'ce5ad28333d1-70', 'item', 'update', 1, 1, 5, NULL, '{"image":null}', '{"id":1,"name":"chair","price":14.90,"store_id":1,"currency":"EUR","sku":"CH-15","barcode":"4006381333931","description":"Oak, oiled.","tags":["garden","oak"],"stock":12,"archived":false,"image":"/images/4dab5959a656d8c3fdef42ebec35f3f675b62d92fdc0d182ea9e7836acd21616","updated_at":1795941668,"version":5}');
INSERT OR REPLACE INTO changes VALUES (86, 1795941668, 3, 'ce5ad28333d1-71', 'item', 'update', 1, 3, 3, NULL, '{"image":null}', '{"id":3,"name":"lamp","price":24.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":-3,"archived":false,"image":"/images/2e090c112393123daeabd8a5661350c4a5a1033eac0eaf97ab2ff904ad30b541","updated_at":1795941668,"version":3}');
INSERT OR REPLACE INTO changes VALUES (87, 1795941668, 8, 'ce5ad28333d1-72', 'item', 'update', 3, 6, 2, NULL, '{"image":null}', '{"id":6,"name":"lost umbrella","price":5.00,"store_id":3,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":"/images/c6e3e2ecdd0f1e1a5847095415969e44128ee3eebd658df35bbc6673586cd464","updated_at":1795941668,"version":2}');
INSERT OR REPLACE INTO changes VALUES (88, 1795941668, 3, 'ce5ad28333d1-73', 'item', 'update', 1, 3, 4, NULL, '{"image":"/images/2e090c112393123daeabd8a5661350c4a5a1033eac0eaf97ab2ff904ad30b541"}', '{"id":3,"name":"lamp","price":24.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":-3,"archived":false,"image":null,"updated_at":1795941668,"version":4}');
INSERT OR REPLACE INTO changes VALUES (89, 1795941668, 3, 'ce5ad28333d1-74', 'item', 'create', 1, 20, 1, 300, NULL, '{"id":20,"name":"poster","price":3.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941668,"version":1}');
INSERT OR REPLACE INTO changes VALUES (90, 1795941668, 3, 'ce5ad28333d1-75', 'item', 'update', 1, 20, 2, NULL, '{"image":null}', '{"id":20,"name":"poster","price":3.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":"/images/a0c9ac51bfd2c87147c9a3667ef2802bbbb6d83f254badcd0fc4653b0f66dc3a","updated_at":1795941668,"version":2}');
INSERT OR REPLACE INTO changes VALUES (91, 1795941668, 3, 'ce5ad28333d1-76', 'item', 'delete', 1, 20, 2, NULL, '{"id":20,"name":"poster","price":3.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":"/images/a0c9ac51bfd2c87147c9a3667ef2802bbbb6d83f254badcd0fc4653b0f66dc3a","updated_at":1795941668,"version":2}', NULL);
INSERT OR REPLACE INTO changes VALUES (92, 1795941668, 5, 'ce5ad28333d1-77', 'item', 'create', 1, 21, 1, 4900, NULL, '{"id":21,"name":"shelf","price":49.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941668,"version":1}');
INSERT OR REPLACE INTO changes VALUES (93, 1795941668, 5, 'ce5ad28333d1-77', 'item', 'create', 1, 22, 1, 19900, NULL, '{"id":22,"name":"bed ","price":199.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941668,"version":1}');
INSERT OR REPLACE INTO changes VALUES (94, 1795941673, 3, 'import 1', 'item', 'create', 1, 23, 1, 1250, NULL, '{"id":23,"name":"cushion","price":12.50,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":4,"archived":false,"image":null,"updated_at":1795941673,"version":1}');
INSERT OR REPLACE INTO changes VALUES (95, 1795941673, 3, 'import 1', 'item', 'create', 1, 24, 1, 700, NULL, '{"id":24,"name":"vase","price":7.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":1,"archived":false,"image":null,"updated_at":1795941673,"version":1}');
INSERT OR REPLACE INTO changes VALUES (96, 1795941707, 3, 'ce5ad28333d1-388', 'item', 'update', 1, 1, 6, NULL, '{"stock":12}', '{"id":1,"name":"chair","price":14.90,"store_id":1,"currency":"EUR","sku":"CH-15","barcode":"4006381333931","description":"Oak, oiled.","tags":["garden","oak"],"stock":11,"archived":false,"image":"/images/4dab5959a656d8c3fdef42ebec35f3f675b62d92fdc0d182ea9e7836acd21616","updated_at":1795941707,"version":6}');
INSERT OR REPLACE INTO changes VALUES (97, 1795941707, 7, 'ce5ad28333d1-389', 'item', 'update', 4, 7, 2, 200, '{"price":1.00}', '{"id":7,"name":"key","price":2.00,"store_id":4,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941707,"version":2}');
INSERT OR REPLACE INTO changes VALUES (98, 1795941707, 13, 'ce5ad28333d1-390', 'item', 'update', 5, 8, 2, 3100, '{"price":30.00}', '{"id":8,"name":"hat","price":31.00,"store_id":5,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941707,"version":2}');
INSERT OR REPLACE INTO changes VALUES (99, 1795941710, 3, 'ce5ad28333d1-559', 'member', 'delete', 1, 16, NULL, NULL, '{"user_id":16,"username":"leo","role":"owner"}', NULL);
INSERT OR REPLACE INTO changes VALUES (100, 1795941710, 1, 'ce5ad28333d1-560', 'user', 'update', NULL, 6, NULL, NULL, '{"is_admin":false}', '{"id":6,"username":"dave","is_admin":true,"is_active":true}');
INSERT OR REPLACE INTO changes VALUES (101, 1795941711, 1, 'ce5ad28333d1-561', 'user', 'update', NULL, 6, NULL, NULL, '{"is_admin":true}', '{"id":6,"username":"dave","is_admin":false,"is_active":true}');
INSERT OR REPLACE INTO changes VALUES (102, 1795941711, 1, 'ce5ad28333d1-562', 'user', 'update', NULL, 10, NULL, NULL, '{"is_admin":true}', '{"id":10,"username":"heidi","is_admin":false,"is_active":true}');
INSERT OR REPLACE INTO changes VALUES (103, 1795941716, NULL, '', 'user', 'update', NULL, 17, NULL, NULL, '{"is_admin":true}', '{"id":17,"username":"olivia","is_admin":false,"is_active":true}');
INSERT OR REPLACE INTO changes VALUES (104, 1795941720, NULL, '', 'user', 'update', NULL, 9, NULL, NULL, '{"is_admin":false}', '{"id":9,"username":"grace","is_admin":true,"is_active":true}');
INSERT OR REPLACE INTO changes VALUES (105, 1795941720, 1, 'ce5ad28333d1-563', 'user', 'update', NULL, 19, NULL, NULL, '{"is_active":true}', '{"id":19,"username":"quinn","is_admin":false,"is_active":false}');
INSERT OR REPLACE INTO changes VALUES (106, 1795941720, 1, 'ce5ad28333d1-564', 'user', 'update', NULL, 19, NULL, NULL, '{"is_active":false}', '{"id":19,"username":"quinn","is_admin":false,"is_active":true}');
INSERT OR REPLACE INTO changes VALUES (107, 1795941720, 1, 'ce5ad28333d1-565', 'user', 'update', NULL, 7, NULL, NULL, '{"is_active":true}', '{"id":7,"username":"erin","is_admin":false,"is_active":false}');
INSERT OR REPLACE INTO changes VALUES (108, 1795941720, 8, 'ce5ad28333d1-566', 'user', 'delete', NULL, 8, NULL, NULL, '{"id":8,"username":"frank","is_admin":false,"is_active":true}', NULL);
INSERT OR REPLACE INTO changes VALUES (109, 1795941720, 13, 'ce5ad28333d1-567', 'user', 'delete', NULL, 13, NULL, NULL, '{"id":13,"username":"judy","is_admin":false,"is_active":true}', NULL);
INSERT OR REPLACE INTO changes VALUES (110, 1795941720, 1, 'ce5ad28333d1-568', 'user', 'delete', NULL, 9, NULL, NULL, '{"id":9,"username":"grace","is_admin":true,"is_active":true}', NULL);
INSERT OR REPLACE INTO changes VALUES (111, 1795941720, 1, 'ce5ad28333d1-569', 'user', 'delete', NULL, 18, NULL, NULL, '{"id":18,"username":"pete","is_admin":true,"is_active":true}', NULL);
INSERT OR REPLACE INTO changes VALUES (112, 1795941720, 15, 'ce5ad28333d1-571', 'user', 'password', NULL, 15, NULL, NULL, '{}', '{"id":15,"username":"kim","is_admin":false,"is_active":true}');
INSERT OR REPLACE INTO changes VALUES (113, 1795941725, NULL, '', 'user', 'password', NULL, 20, NULL, NULL, '{}', '{"id":20,"username":"ruth","is_admin":false,"is_active":true}');
INSERT OR REPLACE INTO idempotency_keys VALUES ('19a6cd7ffced781c0ca97f5dc39eb8a83e776ba4ab032a793af898a97f170703', 'ec856078265895a44e8d17d51cff1897b812f3f3f179a7225d7a3d7dd569c072', '[{"type":"Done","item":{"id":21,"name":"shelf","price":"49.00","store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941668,"version":1},"is_new":true},{"type":"Done","item":{"id":22,"name":"bed ","price":"199.00","store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941668,"version":1},"is_new":true}]', 1795941668);
INSERT OR REPLACE INTO idempotency_keys VALUES ('3d0acffa3c9427414ed4ddce8f8b78dfc0f7db9b620ea4b071141e24a2e301a4', '73708e04651dbbbaf1ddec309704d72c4685336cc8a50d732b728876e720c33e', '{"id":11,"url":"http://127.0.0.1:18089/ok","store":"ikea","store_id":1,"user_id":3,"is_active":true,"reason":null,"cursor":95,"created_at":1795941694,"secret":"whsec_KKu8i60uNU1pn07NQudtaacPjCETyqUcFA3E75Sg4F0="}', 1795941694);
INSERT OR REPLACE INTO idempotency_keys VALUES ('709a19c6e0a78b36c11d3453d718f3f8282d2f5a430bdd35e34e59fd8365b707', '26b358b03b1978ad2e45a06d3b995b12bce08e87b062fd12a32730c58faf7d49', '{"id":5,"url":"http://127.0.0.1:18089/ok","store":"ikea","store_id":1,"user_id":3,"is_active":true,"reason":null,"cursor":95,"created_at":1795941693,"secret":"whsec_08m+azkz9KoJsOHuZy0BLK/+5JohLC0vX5vVNi5NWGs="}', 1795941707);
INSERT OR REPLACE INTO idempotency_keys VALUES ('71cdd08ac32bc245c899f2bfc3b340ff9616a7ff538b44d6201f2d955085ed68', '937718ab59a60cad10f7da3f3f038d0d88ac52f458272a8f9473db8b353d83bc', '{"id":1,"name":"chair","price":"14.90","store_id":1,"currency":"EUR","sku":"CH-15","barcode":"4006381333931","description":"Oak, oiled.","tags":["garden","oak"],"stock":11,"archived":false,"image":"/images/4dab5959a656d8c3fdef42ebec35f3f675b62d92fdc0d182ea9e7836acd21616","updated_at":1795941707,"version":6}', 1795941707);
INSERT OR REPLACE INTO webhooks VALUES (1, 'http://127.0.0.1:18089/ok', 1, 3, 'whsec_mO4wTWxftv0MqC3pF2ASPkn48ZECZwGdAzZDHlv1L3A=', NULL, NULL, 1, NULL, 113, NULL, 0, 1795941693);
INSERT OR REPLACE INTO webhooks VALUES (2, 'http://127.0.0.1:18089/fails', 1, 3, 'whsec_7574QOkSZ41OUcl2JKcJBkjLpu4ufZoQKNLgbn16Ej8=', NULL, NULL, 1, NULL, 113, NULL, 0, 1795941693);
INSERT OR REPLACE INTO webhooks VALUES (3, 'http://127.0.0.1:18089/ok', 1, 3, 'whsec_nDfMD5Es33fuM1QnV6/KgSUZK2+two9jAt64uV799pQ=', NULL, NULL, 0, NULL, 95, NULL, 0, 1795941693);
INSERT OR REPLACE INTO webhooks VALUES (4, 'http://127.0.0.1:18089/gone', 1, 3, 'whsec_/SVxH79u66xDVwzO6AroQdd39puQHdxykfpDlgHITRM=', NULL, NULL, 0, 'Its receiver answered 410: it wants no more.', 98, NULL, 0, 1795941693);
INSERT OR REPLACE INTO webhooks VALUES (5, 'http://127.0.0.1:18089/ok', 1, 3, 'whsec_08m+azkz9KoJsOHuZy0BLK/+5JohLC0vX5vVNi5NWGs=', 'whsec_OWhtBO1YP0LDXXkNYjrrUdpmaMaVUd9Wo0cv11NfLcY=', 1796028107, 1, NULL, 113, NULL, 0, 1795941693);
INSERT OR REPLACE INTO webhooks VALUES (6, 'http://127.0.0.1:18089/ok', NULL, 1, 'whsec_8iaX4Ghypixg+l23z/0zTKEwipmFM5fsksrkE48ipDc=', NULL, NULL, 1, NULL, 113, NULL, 0, 1795941693);
INSERT OR REPLACE INTO webhooks VALUES (7, 'http://127.0.0.1:18089/ok', NULL, 10, 'whsec_0R0RfHx1d7K7WliYyy53F7FAPvW/s4uaznSXIV6yvQM=', NULL, NULL, 1, NULL, 113, NULL, 0, 1795941694);
INSERT OR REPLACE INTO webhooks VALUES (8, 'http://127.0.0.1:18089/ok', 1, 16, 'whsec_2HQ81jCn139+v42dhBxEwnd52BwyUU6KLD7+xjoMeHg=', NULL, NULL, 1, NULL, 113, NULL, 0, 1795941694);
INSERT OR REPLACE INTO webhooks VALUES (9, 'http://127.0.0.1:18089/ok', 4, 7, 'whsec_y2Xp72yaXZw/u6YioWL4ny0I7w+qJ/rR1Zo+eSsUJhY=', NULL, NULL, 1, NULL, 113, NULL, 0, 1795941694);
INSERT OR REPLACE INTO webhooks VALUES (10, 'http://127.0.0.1:18089/ok', 5, NULL, 'whsec_dW85LTqfd+JZtrXaJ7mU5GxoOGwEgWqt0YsIfUYfZbQ=', NULL, NULL, 1, NULL, 113, NULL, 0, 1795941694);
INSERT OR REPLACE INTO webhooks VALUES (11, 'http://127.0.0.1:18089/ok', 1, 3, 'whsec_KKu8i60uNU1pn07NQudtaacPjCETyqUcFA3E75Sg4F0=', NULL, NULL, 1, NULL, 113, NULL, 0, 1795941694);
INSERT OR REPLACE INTO webhooks VALUES (12, 'http://127.0.0.1:18089/ok', 1, NULL, 'whsec_GRBx6knyIeE2kTrp622v1c2VaVHKC9suT+kalFONzwg=', NULL, NULL, 1, NULL, 113, NULL, 0, 1795941701);
INSERT OR REPLACE INTO webhooks VALUES (13, 'http://127.0.0.1:18089/ok', NULL, NULL, 'whsec_jbp7fStJigHroeNd0kebjcJxQlwdL1nxCeUsTKd0EF0=', NULL, NULL, 1, NULL, 113, NULL, 0, 1795941706);
INSERT OR REPLACE INTO deliveries VALUES (1, 1, 'ping', NULL, 'delivered', 1, 200, NULL, 202, 1795941707, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (2, 1, 'item.update', 96, 'delivered', 1, 200, NULL, 96, 1795941708, 1795941708, NULL, 1795941708);
INSERT OR REPLACE INTO deliveries VALUES (3, 2, 'item.update', 96, 'pending', 2, 500, NULL, 15, 1795941708, 1795941714, 1795942073, NULL);
INSERT OR REPLACE INTO deliveries VALUES (4, 4, 'item.update', 96, 'failed', 1, 410, NULL, 155, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (5, 5, 'item.update', 96, 'delivered', 1, 200, NULL, 128, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (6, 6, 'item.update', 96, 'delivered', 1, 200, NULL, 130, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (7, 6, 'item.update', 97, 'delivered', 1, 200, NULL, 1029, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (8, 6, 'item.update', 98, 'delivered', 1, 200, NULL, 1025, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (9, 7, 'item.update', 96, 'delivered', 1, 200, NULL, 90, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (10, 7, 'item.update', 97, 'delivered', 1, 200, NULL, 1245, 1795941708, 1795941710, NULL, 1795941710);
INSERT OR REPLACE INTO deliveries VALUES (11, 7, 'item.update', 98, 'delivered', 1, 200, NULL, 1254, 1795941708, 1795941710, NULL, 1795941710);
INSERT OR REPLACE INTO deliveries VALUES (12, 8, 'item.update', 96, 'delivered', 1, 200, NULL, 33, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (13, 9, 'item.update', 97, 'delivered', 1, 200, NULL, 29, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (14, 10, 'item.update', 98, 'delivered', 1, 200, NULL, 18, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (15, 11, 'item.update', 96, 'delivered', 1, 200, NULL, 16, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (16, 12, 'item.update', 96, 'delivered', 1, 200, NULL, 14, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (17, 13, 'item.update', 96, 'delivered', 1, 200, NULL, 79, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (18, 13, 'item.update', 97, 'delivered', 1, 200, NULL, 78, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO deliveries VALUES (19, 13, 'item.update', 98, 'delivered', 1, 200, NULL, 79, 1795941708, 1795941709, NULL, 1795941709);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('users', 20);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('changes', 113);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('sessions', 20);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('stores', 15);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('items', 24);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('imports', 5);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('import_refusals', 1);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('webhooks', 13);
INSERT OR REPLACE INTO sqlite_sequence VALUES ('deliveries', 19);
CREATE INDEX ix_sessions_ends_at ON sessions (ends_at);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
CREATE INDEX ix_login_failures_failed_at ON login_failures (failed_at);
CREATE INDEX ix_login_failures_bucket_failed_at ON login_failures (bucket, failed_at);
CREATE INDEX ix_store_members_user_id ON store_members (user_id);
CREATE INDEX ix_items_name_id ON items (name, id);
CREATE INDEX ix_items_store_id_id ON items (store_id, id);
CREATE UNIQUE INDEX uq_items_sku_store_id ON items (sku, store_id);
CREATE UNIQUE INDEX uq_items_barcode_store_id ON items (barcode, store_id);
CREATE INDEX ix_items_store_id_price ON items (store_id, price_minor, id);
CREATE INDEX ix_items_store_id_stock ON items (store_id, stock, id);
CREATE INDEX ix_items_store_id_updated ON items (store_id, updated_at, id);
CREATE INDEX ix_items_updated ON items (updated_at, id);
CREATE INDEX ix_imports_store_id ON imports (store_id);
CREATE INDEX ix_imports_ended_at ON imports (ended_at);
CREATE INDEX ix_imports_state ON imports (state);
CREATE INDEX ix_imports_user_id ON imports (user_id);
CREATE INDEX ix_import_refusals_import_id_line ON import_refusals (import_id, line);
CREATE INDEX ix_changes_store_id_id ON changes (store_id, id);
CREATE INDEX ix_changes_kind_subject_id ON changes (kind, subject_id, id);
CREATE INDEX ix_changes_price ON changes (subject_id, id) WHERE price_minor IS NOT NULL;
CREATE TRIGGER changes_stay BEFORE UPDATE ON changes BEGIN SELECT RAISE(ABORT, 'the journal is not to be altered'); END;
CREATE INDEX ix_idempotency_keys_at ON idempotency_keys (at);
CREATE INDEX ix_webhooks_user_id ON webhooks (user_id);
CREATE INDEX ix_deliveries_webhook_id_id ON deliveries (webhook_id, id);
CREATE INDEX ix_deliveries_webhook_id_next_at ON deliveries (webhook_id, next_at);
CREATE INDEX ix_deliveries_ended_at ON deliveries (ended_at);
CREATE INDEX ix_items_archived ON items (store_id, archived_at) WHERE archived_at IS NOT NULL;
COMMIT;
