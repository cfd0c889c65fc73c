CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.items (
    id bigint NOT NULL,
    store_id bigint NOT NULL,
    name character varying NOT NULL COLLATE pg_catalog."C",
    price_minor bigint NOT NULL,
    CONSTRAINT ck_items_price CHECK ((price_minor >= 0))
);
CREATE SEQUENCE public.items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.items_id_seq OWNED BY public.items.id;
CREATE TABLE public.login_failures (
    id bigint NOT NULL,
    bucket character varying(64) NOT NULL,
    failed_at bigint NOT NULL
);
CREATE SEQUENCE public.login_failures_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.login_failures_id_seq OWNED BY public.login_failures.id;
CREATE TABLE public.sessions (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    began_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    last_used_at bigint NOT NULL,
    device character varying NOT NULL,
    address character varying NOT NULL,
    refresh_number integer NOT NULL,
    recent_uses json NOT NULL
);
CREATE SEQUENCE public.sessions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sessions_id_seq OWNED BY public.sessions.id;
CREATE TABLE public.store_members (
    store_id bigint NOT NULL,
    user_id bigint NOT NULL,
    role character varying(5) NOT NULL,
    CONSTRAINT ck_store_members_role CHECK (role IN ('owner'::character varying, 'clerk'::character varying))
);
CREATE TABLE public.stores (
    id bigint NOT NULL,
    name character varying NOT NULL COLLATE pg_catalog."C",
    currency character varying(3) NOT NULL
);
CREATE SEQUENCE public.stores_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.stores_id_seq OWNED BY public.stores.id;
CREATE TABLE public.users (
    id bigint NOT NULL,
    username character varying NOT NULL COLLATE pg_catalog."C",
    username_key character varying NOT NULL COLLATE pg_catalog."C",
    password_hash character varying NOT NULL,
    is_admin boolean NOT NULL,
    is_active boolean NOT NULL
);
CREATE SEQUENCE public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;
ALTER TABLE ONLY public.items ALTER COLUMN id SET DEFAULT nextval('public.items_id_seq'::regclass);
ALTER TABLE ONLY public.login_failures ALTER COLUMN id SET DEFAULT nextval('public.login_failures_id_seq'::regclass);
ALTER TABLE ONLY public.sessions ALTER COLUMN id SET DEFAULT nextval('public.sessions_id_seq'::regclass);
ALTER TABLE ONLY public.stores ALTER COLUMN id SET DEFAULT nextval('public.stores_id_seq'::regclass);
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0001');
INSERT INTO public.items VALUES (1, 1, 'chair', 1490);
INSERT INTO public.items VALUES (2, 1, 'table', 12900);
INSERT INTO public.items VALUES (3, 1, 'lamp', 2490);
INSERT INTO public.items VALUES (5, 2, 'chair', 2000);
INSERT INTO public.items VALUES (6, 3, 'lost umbrella', 500);
INSERT INTO public.items VALUES (7, 4, 'key', 100);
INSERT INTO public.items VALUES (8, 5, 'hat', 3000);
INSERT INTO public.items VALUES (9, 8, 'chair', 150);
INSERT INTO public.items VALUES (10, 8, ' chair', 150);
INSERT INTO public.items VALUES (11, 8, 'chair ', 150);
INSERT INTO public.items VALUES (12, 8, 'chair (2)', 150);
INSERT INTO public.items VALUES (13, 8, '.', 150);
INSERT INTO public.items VALUES (14, 8, '..', 150);
INSERT INTO public.items VALUES (15, 8, ' ', 150);
INSERT INTO public.items VALUES (16, 8, '  two  words ', 150);
INSERT INTO public.items VALUES (17, 8, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy', 150);
INSERT INTO public.items VALUES (18, 8, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ', 150);
INSERT INTO public.login_failures VALUES (1, 'name 2bd806c97f0e00af1a1fc3328fa763a9269723c8', 1795941616036);
INSERT INTO public.login_failures VALUES (2, 'address 192.0.2.99', 1795941616036);
INSERT INTO public.login_failures VALUES (3, 'everybody', 1795941616036);
INSERT INTO public.login_failures VALUES (4, 'name 6382b3cc881412b77bfcaeed026001c00d9e3025', 1795941616266);
INSERT INTO public.login_failures VALUES (5, 'address 192.0.2.99', 1795941616266);
INSERT INTO public.login_failures VALUES (6, 'everybody', 1795941616266);
INSERT INTO public.login_failures VALUES (7, 'name 4813494d137e1631bba301d5acab6e7bb7aa74ce', 1795941616512);
INSERT INTO public.login_failures VALUES (8, 'address 2001:db8:9::/64', 1795941616512);
INSERT INTO public.login_failures VALUES (9, 'everybody', 1795941616512);
INSERT INTO public.sessions VALUES (5, 5, 1795941596, 1803717596, 1795941596, 'browser/1.0', '192.0.2.5', 0, '[]');
INSERT INTO public.sessions VALUES (6, 4, 1795941596, 1803717596, 1795941596, 'browser/1.0', '2001:db8:0:4::1', 0, '[]');
INSERT INTO public.sessions VALUES (8, 15, 1795941609, 1803717609, 1795941609, 'browser/1.0', '192.0.2.15', 0, '[]');
INSERT INTO public.sessions VALUES (9, 3, 1795941616, 1803717616, 1795941616, 'tablet', '192.0.2.3', 0, '[]');
INSERT INTO public.sessions VALUES (10, 3, 1795941617, 1803717617, 1795941617, 'till', '192.0.2.3', 1, '[[1, 1795941617.0710618]]');
INSERT INTO public.sessions VALUES (11, 3, 1795941617, 1803717617, 1795941617, 'phone', '192.0.2.3', 2, '[[1, 1795941617.2621293], [2, 1795941617.2743363]]');
INSERT INTO public.sessions VALUES (12, 3, 1795941617, 1803717617, 1795941617, 'laptop', '192.0.2.3', 5, '[[1, 1795941617.532754], [2, 1795941617.5398924], [3, 1795941617.6059794], [4, 1795941617.6317317], [5, 1795941617.67277]]');
INSERT INTO public.sessions VALUES (13, 4, 1795941617, 1803717617, 1795941618, 'desk', '2001:db8:0:4::1', 2, '[[1, 1795941617.9848528], [2, 1795941618.0449982]]');
INSERT INTO public.sessions VALUES (14, 14, 1795941618, 1803717618, 1795941618, 'python-requests/2.31', '2001:db8:0:14::1', 1, '[[1, 1795941618.58371]]');
INSERT INTO public.sessions VALUES (15, 1, 1795941618, 1803717618, 1795941618, 'desk', '192.0.2.1', 0, '[]');
INSERT INTO public.sessions VALUES (1, 3, 1795941594, 1803717594, 1795941600, 'browser/1.0', '192.0.2.3', 0, '[]');
INSERT INTO public.sessions VALUES (7, 1, 1795941598, 1803717598, 1795941600, 'browser/1.0', '192.0.2.1', 0, '[]');
INSERT INTO public.store_members VALUES (1, 3, 'owner');
INSERT INTO public.store_members VALUES (2, 3, 'owner');
INSERT INTO public.store_members VALUES (4, 7, 'owner');
INSERT INTO public.store_members VALUES (6, 5, 'owner');
INSERT INTO public.store_members VALUES (7, 5, 'owner');
INSERT INTO public.store_members VALUES (8, 5, 'owner');
INSERT INTO public.store_members VALUES (9, 5, 'owner');
INSERT INTO public.store_members VALUES (10, 5, 'owner');
INSERT INTO public.store_members VALUES (11, 5, 'owner');
INSERT INTO public.store_members VALUES (12, 5, 'owner');
INSERT INTO public.store_members VALUES (13, 5, 'owner');
INSERT INTO public.store_members VALUES (14, 4, 'owner');
INSERT INTO public.store_members VALUES (1, 4, 'clerk');
INSERT INTO public.store_members VALUES (1, 5, 'clerk');
INSERT INTO public.store_members VALUES (5, 3, 'owner');
INSERT INTO public.stores VALUES (1, 'ikea', 'EUR');
INSERT INTO public.stores VALUES (2, 'Tokyo / Ginza', 'JPY');
INSERT INTO public.stores VALUES (3, 'orphan', 'EUR');
INSERT INTO public.stores VALUES (4, 'closed', 'EUR');
INSERT INTO public.stores VALUES (5, 'judys', 'EUR');
INSERT INTO public.stores VALUES (6, '.', 'EUR');
INSERT INTO public.stores VALUES (7, '..', 'EUR');
INSERT INTO public.stores VALUES (8, 'shed', 'EUR');
INSERT INTO public.stores VALUES (9, 'shed ', 'EUR');
INSERT INTO public.stores VALUES (10, 'shed (2)', 'EUR');
INSERT INTO public.stores VALUES (11, ' ', 'EUR');
INSERT INTO public.stores VALUES (12, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy', 'EUR');
INSERT INTO public.stores VALUES (13, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ', 'EUR');
INSERT INTO public.stores VALUES (14, ' shed', 'EUR');
INSERT INTO public.users VALUES (1, 'root', 'root', '$argon2id$v=19$m=19456,t=2,p=1$9kKuUcIkuws5ByzHAB2ocQ$fJJoqf7urGsViJ6StSOEoIdO9lBoaZ9yZy0Z+AEWs4k', true, true);
INSERT INTO public.users VALUES (2, 'olga', 'olga', '$argon2id$v=19$m=19456,t=2,p=1$//6UAhHqNHZ7Pk63pzsVDQ$Rxr1ZbU+gVdSw2XQuWS9HnGcXZhWnFBxWL5Xu8cC7JM', true, true);
INSERT INTO public.users VALUES (3, 'alice', 'alice', '$argon2id$v=19$m=19456,t=2,p=1$0YY2/nytD7T0zdPhcvNyVA$iqXpZa1EkWMVHIgeXhg23BCi05B1Zuiz5+yqSH62tqQ', false, true);
INSERT INTO public.users VALUES (4, 'bob', 'bob', '$argon2id$v=19$m=19456,t=2,p=1$u6BJITGpp54gF+h2snRZqA$31B8hmI79tvja4ovL5RggW9FyIamEccLtCaF4NMt9AA', false, true);
INSERT INTO public.users VALUES (5, 'carol', 'carol', '$argon2id$v=19$m=19456,t=2,p=1$TZaVLPF7fxVXi9enXqrfKg$x9jfNSspQBAbqUziQRFf4NzX5NGp5FBhYUwcK5ZrUxE', false, true);
INSERT INTO public.users VALUES (11, 'аdmin', 'аdmin', '$argon2id$v=19$m=19456,t=2,p=1$19JecZ5YdMRGCE55/96meQ$6r7HlsLa1HY8OOzKNyDbwERzhHkU0nhPC/SZtzh4t9Y', false, true);
INSERT INTO public.users VALUES (12, 'Ivan', 'ivan', '$argon2id$v=19$m=19456,t=2,p=1$spWhLLpgf4w2si8GeaBNLA$Deoa2iJQDwcH25bkXeGdnSQl52krCm2XfebOIs0yTNI', false, true);
INSERT INTO public.users VALUES (14, 'course', 'course', '$argon2id$v=19$m=19456,t=2,p=1$nsdacj4uUDidOiS8FFE2RA$a5zxUQcwfcvBZ3l3001kBSOAdUkeVhk/ypKOZJMoGdM', false, true);
INSERT INTO public.users VALUES (16, 'leo', 'leo', '$argon2id$v=19$m=19456,t=2,p=1$cYt1R/Vujm5nsoGhKs0FdQ$yBntbsuWrroIDeaIUdfd0vXn08NsvB9nFP5uiW0m7VU', false, true);
INSERT INTO public.users VALUES (6, 'dave', 'dave', '$argon2id$v=19$m=19456,t=2,p=1$nnQHyQUfL0fueEj3aaw6wg$fh1GKEmt5Ni1+zvvn4Sg/Mqcy+ia0YK2JAJwqNCN/+k', false, true);
INSERT INTO public.users VALUES (10, 'heidi', 'heidi', '$argon2id$v=19$m=19456,t=2,p=1$ca8LaCOlNnXCnAc1qHaEzw$hcTNYOjVGPual2Wl/QMEdwwX+EZjbzMEfT4+o5Chps4', false, true);
INSERT INTO public.users VALUES (17, 'olivia', 'olivia', '$argon2id$v=19$m=19456,t=2,p=1$bybVORd6fnNed7INzukbtQ$p4w3h3zmKK2tccCvQD3uLG2XMTAD/L04OVcsNK7eAmQ', false, true);
INSERT INTO public.users VALUES (19, 'quinn', 'quinn', '$argon2id$v=19$m=19456,t=2,p=1$7D7QvF0OZg1TSuBBouLcBQ$DlKBVul2OHuCyneimWtRxSKRfE9JyW9Dy8PjPaNYltw', false, true);
INSERT INTO public.users VALUES (7, 'erin', 'erin', '$argon2id$v=19$m=19456,t=2,p=1$WF+y61mGrjYRIX/c1BuNMg$j0IGT/5CkyZ5mhHtCvkC/WJgbR0egcWy73icvk8ta0Q', false, false);
INSERT INTO public.users VALUES (15, 'kim', 'kim', '$argon2id$v=19$m=19456,t=2,p=1$1l8XMJToZyf+htVB/ETL9g$QRau1D+WmSa3ISrGiDA5M5a4ujVDkTHtbVXl0SceLbo', false, true);
INSERT INTO public.users VALUES (20, 'ruth', 'ruth', '$argon2id$v=19$m=19456,t=2,p=1$moePM1qGTDHHOSn2gj40Ag$BYV9ZebRWkecN655wMdgqs7znUSOh0snCQ94F8cRERE', false, true);
SELECT pg_catalog.setval('public.items_id_seq', 19, true);
SELECT pg_catalog.setval('public.login_failures_id_seq', 9, true);
SELECT pg_catalog.setval('public.sessions_id_seq', 16, true);
SELECT pg_catalog.setval('public.stores_id_seq', 15, true);
SELECT pg_catalog.setval('public.users_id_seq', 20, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.items
    ADD CONSTRAINT pk_items PRIMARY KEY (id);
ALTER TABLE ONLY public.login_failures
    ADD CONSTRAINT pk_login_failures PRIMARY KEY (id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT pk_sessions PRIMARY KEY (id);
ALTER TABLE ONLY public.store_members
    ADD CONSTRAINT pk_store_members PRIMARY KEY (store_id, user_id);
ALTER TABLE ONLY public.stores
    ADD CONSTRAINT pk_stores PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);
ALTER TABLE ONLY public.items
    ADD CONSTRAINT uq_items_store_id UNIQUE (store_id, name);
ALTER TABLE ONLY public.stores
    ADD CONSTRAINT uq_stores_name UNIQUE (name);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_username_key UNIQUE (username_key);
CREATE INDEX ix_items_name_id ON public.items USING btree (name, id);
CREATE INDEX ix_items_store_id_id ON public.items USING btree (store_id, id);
CREATE INDEX ix_login_failures_bucket_failed_at ON public.login_failures USING btree (bucket, failed_at);
CREATE INDEX ix_login_failures_failed_at ON public.login_failures USING btree (failed_at);
CREATE INDEX ix_sessions_ends_at ON public.sessions USING btree (ends_at);
CREATE INDEX ix_sessions_user_id ON public.sessions USING btree (user_id);
CREATE INDEX ix_store_members_user_id ON public.store_members USING btree (user_id);
ALTER TABLE ONLY public.items
    ADD CONSTRAINT fk_items_store_id_stores FOREIGN KEY (store_id) REFERENCES public.stores(id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.store_members
    ADD CONSTRAINT fk_store_members_store_id_stores FOREIGN KEY (store_id) REFERENCES public.stores(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.store_members
    ADD CONSTRAINT fk_store_members_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
