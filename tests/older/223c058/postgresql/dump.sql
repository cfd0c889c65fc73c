CREATE FUNCTION public.changes_stay() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'the journal is not to be altered'; END$$;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.backups (
    made_at bigint NOT NULL
);
CREATE TABLE public.changes (
    id bigint NOT NULL,
    at bigint NOT NULL,
    user_id bigint,
    request character varying NOT NULL,
    kind character varying(6) NOT NULL,
    action character varying(8) NOT NULL,
    store_id bigint,
    subject_id bigint NOT NULL,
    version bigint,
    price_minor bigint,
    before text,
    after text
);
CREATE SEQUENCE public.changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.changes_id_seq OWNED BY public.changes.id;
CREATE TABLE public.deliveries (
    id bigint NOT NULL,
    webhook_id bigint NOT NULL,
    type character varying(16) NOT NULL,
    change_id bigint,
    state character varying(9) NOT NULL,
    attempts integer NOT NULL,
    status integer,
    error character varying,
    ms bigint,
    created_at bigint NOT NULL,
    tried_at bigint,
    next_at bigint,
    ended_at bigint
);
CREATE SEQUENCE public.deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.deliveries_id_seq OWNED BY public.deliveries.id;
CREATE TABLE public.idempotency_keys (
    key character varying(64) NOT NULL,
    request character varying(64) NOT NULL,
    result text NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.import_refusals (
    id bigint NOT NULL,
    import_id bigint NOT NULL,
    line bigint NOT NULL,
    field character varying,
    message character varying NOT NULL
);
CREATE SEQUENCE public.import_refusals_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.import_refusals_id_seq OWNED BY public.import_refusals.id;
CREATE TABLE public.imports (
    id bigint NOT NULL,
    store_id bigint NOT NULL,
    user_id bigint,
    state character varying(9) NOT NULL,
    is_dry_run boolean NOT NULL,
    skips_refused boolean NOT NULL,
    match character varying(7) NOT NULL,
    options json NOT NULL,
    file character varying NOT NULL,
    file_name character varying NOT NULL,
    found json,
    size bigint NOT NULL,
    percent integer NOT NULL,
    rows bigint NOT NULL,
    added bigint NOT NULL,
    changed bigint NOT NULL,
    unchanged bigint NOT NULL,
    refused bigint NOT NULL,
    reason character varying,
    runner character varying,
    beat_at bigint NOT NULL,
    created_at bigint NOT NULL,
    ended_at bigint
);
CREATE SEQUENCE public.imports_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.imports_id_seq OWNED BY public.imports.id;
CREATE TABLE public.item_search (
    rowid bigint NOT NULL,
    document tsvector NOT NULL
);
CREATE TABLE public.items (
    id bigint NOT NULL,
    store_id bigint NOT NULL,
    name character varying NOT NULL COLLATE pg_catalog."C",
    price_minor bigint NOT NULL,
    sku character varying COLLATE pg_catalog."C",
    barcode character varying COLLATE pg_catalog."C",
    description character varying DEFAULT ''::character varying NOT NULL COLLATE pg_catalog."C",
    tags character varying DEFAULT ''::character varying NOT NULL COLLATE pg_catalog."C",
    stock bigint DEFAULT '0'::bigint NOT NULL,
    archived_at bigint,
    image character varying,
    updated_at bigint DEFAULT '0'::bigint NOT NULL,
    version bigint DEFAULT '1'::bigint NOT NULL,
    CONSTRAINT ck_items_price CHECK ((price_minor >= 0))
);
CREATE SEQUENCE public.items_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.items_id_seq OWNED BY public.items.id;
CREATE TABLE public.journal (
    id integer NOT NULL,
    last_id bigint NOT NULL,
    last_at bigint NOT NULL
);
CREATE SEQUENCE public.journal_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.journal_id_seq OWNED BY public.journal.id;
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
    currency character varying(3) NOT NULL,
    negative_stock boolean DEFAULT false NOT NULL,
    version bigint DEFAULT '1'::bigint NOT NULL
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
CREATE TABLE public.webhooks (
    id bigint NOT NULL,
    url character varying NOT NULL,
    store_id bigint,
    user_id bigint,
    secret character varying NOT NULL,
    old_secret character varying,
    old_until bigint,
    is_active boolean NOT NULL,
    reason character varying,
    cursor bigint NOT NULL,
    sender character varying,
    beat_at bigint NOT NULL,
    created_at bigint NOT NULL
);
CREATE SEQUENCE public.webhooks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.webhooks_id_seq OWNED BY public.webhooks.id;
ALTER TABLE ONLY public.changes ALTER COLUMN id SET DEFAULT nextval('public.changes_id_seq'::regclass);
ALTER TABLE ONLY public.deliveries ALTER COLUMN id SET DEFAULT nextval('public.deliveries_id_seq'::regclass);
ALTER TABLE ONLY public.import_refusals ALTER COLUMN id SET DEFAULT nextval('public.import_refusals_id_seq'::regclass);
ALTER TABLE ONLY public.imports ALTER COLUMN id SET DEFAULT nextval('public.imports_id_seq'::regclass);
ALTER TABLE ONLY public.items ALTER COLUMN id SET DEFAULT nextval('public.items_id_seq'::regclass);
ALTER TABLE ONLY public.journal ALTER COLUMN id SET DEFAULT nextval('public.journal_id_seq'::regclass);
ALTER TABLE ONLY public.login_failures ALTER COLUMN id SET DEFAULT nextval('public.login_failures_id_seq'::regclass);
ALTER TABLE ONLY public.sessions ALTER COLUMN id SET DEFAULT nextval('public.sessions_id_seq'::regclass);
ALTER TABLE ONLY public.stores ALTER COLUMN id SET DEFAULT nextval('public.stores_id_seq'::regclass);
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
ALTER TABLE ONLY public.webhooks ALTER COLUMN id SET DEFAULT nextval('public.webhooks_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0007');
INSERT INTO public.changes VALUES (1, 1795941739, NULL, '032624ddca2b-0', 'user', 'create', NULL, 1, NULL, NULL, NULL, '{"id":1,"username":"root","is_admin":"root","is_active":"$argon2id$v=19$m=19456,t=2,p=1$q67JbWrWl1sjY5Wu8Zb/Wg$shoBTSO4Wxt/uCtyQ5Qoj0YFqhXPFyyXBjNEtcBHjJk"}');
INSERT INTO public.changes VALUES (2, 1795941743, NULL, '', 'user', 'create', NULL, 2, NULL, NULL, NULL, '{"id":2,"username":"olga","is_admin":"olga","is_active":"$argon2id$v=19$m=19456,t=2,p=1$0Q+uC9A+yVk7TcV56eFFWQ$1Nk+MLNhqO84OznATClVWhQ5yEy+3yCq2eKZayz39T4"}');
INSERT INTO public.changes VALUES (3, 1795941743, NULL, '032624ddca2b-1', 'user', 'create', NULL, 3, NULL, NULL, NULL, '{"id":3,"username":"alice","is_admin":"alice","is_active":"$argon2id$v=19$m=19456,t=2,p=1$zCD+SfcpC9zOQHLEIf/fwg$hiZWfVFe6TtIaMvpnbWdf6KsPcbs1hDwGh+UTRvT7eQ"}');
INSERT INTO public.changes VALUES (4, 1795941743, NULL, '032624ddca2b-2', 'user', 'create', NULL, 4, NULL, NULL, NULL, '{"id":4,"username":"bob","is_admin":"bob","is_active":"$argon2id$v=19$m=19456,t=2,p=1$CMFB53N/QScksl1b/TFuFw$SZOoPLFcHJaq0Vs0h2pK9g/tpPoqVwAMI5zsZhKOY7w"}');
INSERT INTO public.changes VALUES (5, 1795941748, NULL, '', 'user', 'create', NULL, 5, NULL, NULL, NULL, '{"id":5,"username":"carol","is_admin":"carol","is_active":"$argon2id$v=19$m=19456,t=2,p=1$R6J3ASRtDGX5Z0xRHpl1tw$vao7pKo6umuQxQWmu3z9LnU8GplzwEI5RDAgaomCSrM"}');
INSERT INTO public.changes VALUES (6, 1795941748, NULL, '032624ddca2b-3', 'user', 'create', NULL, 6, NULL, NULL, NULL, '{"id":6,"username":"dave","is_admin":"dave","is_active":"$argon2id$v=19$m=19456,t=2,p=1$yiNL9mms6drFJYjGURUP4g$vljC4bcUJ2Gi6PR5aUWS5KD4J8j+EytlzN4Ht9dkLaQ"}');
INSERT INTO public.changes VALUES (7, 1795941748, NULL, '032624ddca2b-4', 'user', 'create', NULL, 7, NULL, NULL, NULL, '{"id":7,"username":"erin","is_admin":"erin","is_active":"$argon2id$v=19$m=19456,t=2,p=1$CM7r1HE03XCx5Ma2Vmv1iw$q9SGdunAnwwDxoRyEkFjlfXgexqRgOm9/SvLZz4juPM"}');
INSERT INTO public.changes VALUES (8, 1795941748, NULL, '032624ddca2b-5', 'user', 'create', NULL, 8, NULL, NULL, NULL, '{"id":8,"username":"frank","is_admin":"frank","is_active":"$argon2id$v=19$m=19456,t=2,p=1$+Xkb88EWEfHeabmXbkHypg$jt709RKzDIqlNpmbiQqXxvfVAdlF7hsZJT2e5dfGJAE"}');
INSERT INTO public.changes VALUES (9, 1795941754, NULL, '', 'user', 'create', NULL, 9, NULL, NULL, NULL, '{"id":9,"username":"grace","is_admin":"grace","is_active":"$argon2id$v=19$m=19456,t=2,p=1$uLIptvTjnIfSeXGPJeW40A$pAjGw4WgJWx3tKqWKwVKiUG6DFo1HxvrQsWoKUtMBHs"}');
INSERT INTO public.changes VALUES (10, 1795941754, NULL, '032624ddca2b-6', 'user', 'create', NULL, 10, NULL, NULL, NULL, '{"id":10,"username":"heidi","is_admin":"heidi","is_active":"$argon2id$v=19$m=19456,t=2,p=1$bQoe/aHgJyRTDmvyeT3z0Q$S3DpXFzqqW/5XcYKhpPQAWKPA+Jq+cxsHVyCFfxu0RA"}');
INSERT INTO public.changes VALUES (11, 1795941754, NULL, '032624ddca2b-7', 'user', 'create', NULL, 11, NULL, NULL, NULL, '{"id":11,"username":"аdmin","is_admin":"аdmin","is_active":"$argon2id$v=19$m=19456,t=2,p=1$DxTD1jurf3+vxci/y2kG+w$b7/QTYxJYYv1Jov7/diZNUrwauaxSV6qdQZK/rjy71c"}');
INSERT INTO public.changes VALUES (12, 1795941754, NULL, '032624ddca2b-8', 'user', 'create', NULL, 12, NULL, NULL, NULL, '{"id":12,"username":"Ivan","is_admin":"ivan","is_active":"$argon2id$v=19$m=19456,t=2,p=1$4qtQYohdNmwWP665qOM87g$XXNYdXPEe4HDjSxVpJf+IB5y+QkFSrL/EoalcqnNpdM"}');
INSERT INTO public.changes VALUES (13, 1795941754, NULL, '032624ddca2b-9', 'user', 'create', NULL, 13, NULL, NULL, NULL, '{"id":13,"username":"judy","is_admin":"judy","is_active":"$argon2id$v=19$m=19456,t=2,p=1$x8qUUilA/lK8u4uf/NHt0g$U5w3Kg7+nxk4vlq2p08jUTrnvtajpkVfzcRggqI934E"}');
INSERT INTO public.changes VALUES (14, 1795941755, NULL, '032624ddca2b-10', 'user', 'create', NULL, 14, NULL, NULL, NULL, '{"id":14,"username":"course","is_admin":"course","is_active":"$argon2id$v=19$m=19456,t=2,p=1$qSZwGhzPv+u579m+NznpSQ$tcOZaZIhmPL3vUauM0QBpkQzrAkD/Ri5ZqWkdRVuC9Q"}');
INSERT INTO public.changes VALUES (15, 1795941755, NULL, '032624ddca2b-11', 'user', 'create', NULL, 15, NULL, NULL, NULL, '{"id":15,"username":"kim","is_admin":"kim","is_active":"$argon2id$v=19$m=19456,t=2,p=1$WxbhkYWZZjzb4V5qS6J39A$8zcOSyAwo5eTH8mn/N4WOq9uir/zkComyK+JOJegJ14"}');
INSERT INTO public.changes VALUES (16, 1795941755, NULL, '032624ddca2b-12', 'user', 'create', NULL, 16, NULL, NULL, NULL, '{"id":16,"username":"leo","is_admin":"leo","is_active":"$argon2id$v=19$m=19456,t=2,p=1$gbvbCd8XmGjCoYAFmv4Taw$/JsREFR+tMCOX+Iu5PGoQbn9enYgIv3h/oxXPsvVJ28"}');
INSERT INTO public.changes VALUES (17, 1795941760, NULL, '', 'user', 'create', NULL, 17, NULL, NULL, NULL, '{"id":17,"username":"olivia","is_admin":"olivia","is_active":"$argon2id$v=19$m=19456,t=2,p=1$yq9iK0c+Y9IqzzYBWfDhkw$myHKRIEWbxrWvygf5ytjRtfhjm53ZLFL0A4XVtEdT+M"}');
INSERT INTO public.changes VALUES (18, 1795941765, NULL, '', 'user', 'create', NULL, 18, NULL, NULL, NULL, '{"id":18,"username":"pete","is_admin":"pete","is_active":"$argon2id$v=19$m=19456,t=2,p=1$WJzCsK+JvymNxv58eKDqWw$X59SOkEZ+niwrMXwVICZe4n/jPoGUhN6O+sPl+e9bIQ"}');
INSERT INTO public.changes VALUES (19, 1795941765, NULL, '032624ddca2b-13', 'user', 'create', NULL, 19, NULL, NULL, NULL, '{"id":19,"username":"quinn","is_admin":"quinn","is_active":"$argon2id$v=19$m=19456,t=2,p=1$4flbV8IzF/dNRyABTxldOQ$DYCbJ9TD16Z4sZp8rB18DQ7e296YwQGT3z6WTn8we7g"}');
INSERT INTO public.changes VALUES (20, 1795941765, NULL, '032624ddca2b-14', 'user', 'create', NULL, 20, NULL, NULL, NULL, '{"id":20,"username":"ruth","is_admin":"ruth","is_active":"$argon2id$v=19$m=19456,t=2,p=1$5X1xfRPD3KZTcu72MgF3og$zZCWz7BPWq4eiVbe2kNpaJHMFcNyvNgGgxwU1eyVeJg"}');
INSERT INTO public.changes VALUES (21, 1795941765, 3, '032624ddca2b-16', 'store', 'create', 1, 1, 1, NULL, NULL, '{"id":1,"name":"ikea","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (22, 1795941765, 3, '032624ddca2b-16', 'member', 'create', 1, 3, NULL, NULL, NULL, '{"user_id":3,"username":"alice","role":"owner"}');
INSERT INTO public.changes VALUES (23, 1795941765, 3, '032624ddca2b-17', 'store', 'create', 2, 2, 1, NULL, NULL, '{"id":2,"name":"Tokyo / Ginza","currency":"JPY","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (24, 1795941765, 3, '032624ddca2b-17', 'member', 'create', 2, 3, NULL, NULL, NULL, '{"user_id":3,"username":"alice","role":"owner"}');
INSERT INTO public.changes VALUES (25, 1795941766, 8, '032624ddca2b-19', 'store', 'create', 3, 3, 1, NULL, NULL, '{"id":3,"name":"orphan","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (26, 1795941766, 8, '032624ddca2b-19', 'member', 'create', 3, 8, NULL, NULL, NULL, '{"user_id":8,"username":"frank","role":"owner"}');
INSERT INTO public.changes VALUES (27, 1795941766, 7, '032624ddca2b-21', 'store', 'create', 4, 4, 1, NULL, NULL, '{"id":4,"name":"closed","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (28, 1795941766, 7, '032624ddca2b-21', 'member', 'create', 4, 7, NULL, NULL, NULL, '{"user_id":7,"username":"erin","role":"owner"}');
INSERT INTO public.changes VALUES (29, 1795941767, 13, '032624ddca2b-23', 'store', 'create', 5, 5, 1, NULL, NULL, '{"id":5,"name":"judys","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (30, 1795941767, 13, '032624ddca2b-23', 'member', 'create', 5, 13, NULL, NULL, NULL, '{"user_id":13,"username":"judy","role":"owner"}');
INSERT INTO public.changes VALUES (31, 1795941767, 5, '032624ddca2b-25', 'store', 'create', 6, 6, 1, NULL, NULL, '{"id":6,"name":".","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (32, 1795941767, 5, '032624ddca2b-25', 'member', 'create', 6, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT INTO public.changes VALUES (33, 1795941767, 5, '032624ddca2b-26', 'store', 'create', 7, 7, 1, NULL, NULL, '{"id":7,"name":"..","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (34, 1795941767, 5, '032624ddca2b-26', 'member', 'create', 7, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT INTO public.changes VALUES (35, 1795941767, 5, '032624ddca2b-27', 'store', 'create', 8, 8, 1, NULL, NULL, '{"id":8,"name":"shed","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (36, 1795941767, 5, '032624ddca2b-27', 'member', 'create', 8, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT INTO public.changes VALUES (37, 1795941767, 5, '032624ddca2b-28', 'store', 'create', 9, 9, 1, NULL, NULL, '{"id":9,"name":"shed ","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (38, 1795941767, 5, '032624ddca2b-28', 'member', 'create', 9, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT INTO public.changes VALUES (51, 1795941768, 3, '032624ddca2b-36', 'member', 'create', 1, 4, NULL, NULL, NULL, '{"user_id":4,"username":"bob","role":"clerk"}');
INSERT INTO public.changes VALUES (59, 1795941769, 4, '032624ddca2b-44', 'item', 'create', 1, 3, 1, 2490, NULL, '{"id":3,"name":"lamp","price":24.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (64, 1795941769, 13, '032624ddca2b-49', 'item', 'create', 5, 8, 1, 3000, NULL, '{"id":8,"name":"hat","price":30.00,"store_id":5,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (76, 1795941770, 3, '032624ddca2b-61', 'item', 'delete', 1, 4, 1, NULL, '{"id":4,"name":"rug","price":9.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}', NULL);
INSERT INTO public.changes VALUES (84, 1795941770, 3, '032624ddca2b-69', 'item', 'update', 1, 2, 2, NULL, '{"archived":false}', '{"id":2,"name":"table","price":129.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":true,"image":null,"updated_at":1795941770,"version":2}');
INSERT INTO public.changes VALUES (92, 1795941772, 5, '032624ddca2b-77', 'item', 'create', 1, 21, 1, 4900, NULL, '{"id":21,"name":"shelf","price":49.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941772,"version":1}');
INSERT INTO public.changes VALUES (93, 1795941772, 5, '032624ddca2b-77', 'item', 'create', 1, 22, 1, 19900, NULL, '{"id":22,"name":"bed ","price":199.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941772,"version":1}');
INSERT INTO public.changes VALUES (39, 1795941767, 5, '032624ddca2b-29', 'store', 'create', 10, 10, 1, NULL, NULL, '{"id":10,"name":"shed (2)","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (40, 1795941767, 5, '032624ddca2b-29', 'member', 'create', 10, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT INTO public.changes VALUES (52, 1795941768, 3, '032624ddca2b-37', 'member', 'create', 1, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"clerk"}');
INSERT INTO public.changes VALUES (60, 1795941769, 4, '032624ddca2b-45', 'item', 'create', 1, 4, 1, 990, NULL, '{"id":4,"name":"rug","price":9.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (65, 1795941769, 5, '032624ddca2b-50', 'item', 'create', 8, 9, 1, 150, NULL, '{"id":9,"name":"chair","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (73, 1795941769, 5, '032624ddca2b-58', 'item', 'create', 8, 17, 1, 150, NULL, '{"id":17,"name":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (81, 1795941770, 3, '032624ddca2b-66', 'item', 'update', 1, 1, 4, NULL, '{"stock":0}', '{"id":1,"name":"chair","price":14.90,"store_id":1,"currency":"EUR","sku":"CH-15","barcode":"4006381333931","description":"Oak, oiled.","tags":["garden","oak"],"stock":12,"archived":false,"image":null,"updated_at":1795941770,"version":4}');
INSERT INTO public.changes VALUES (89, 1795941771, 3, '032624ddca2b-74', 'item', 'create', 1, 20, 1, 300, NULL, '{"id":20,"name":"poster","price":3.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941771,"version":1}');
INSERT INTO public.changes VALUES (41, 1795941767, 5, '032624ddca2b-30', 'store', 'create', 11, 11, 1, NULL, NULL, '{"id":11,"name":" ","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (42, 1795941767, 5, '032624ddca2b-30', 'member', 'create', 11, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT INTO public.changes VALUES (56, 1795941768, 3, '032624ddca2b-41', 'item', 'create', 1, 1, 1, 1590, NULL, '{"id":1,"name":"chair","price":15.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941768,"version":1}');
INSERT INTO public.changes VALUES (68, 1795941769, 5, '032624ddca2b-53', 'item', 'create', 8, 12, 1, 150, NULL, '{"id":12,"name":"chair (2)","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (82, 1795941770, 3, '032624ddca2b-67', 'store', 'update', 1, 1, 2, NULL, '{"negative_stock":false}', '{"id":1,"name":"ikea","currency":"EUR","negative_stock":true,"version":2}');
INSERT INTO public.changes VALUES (90, 1795941771, 3, '032624ddca2b-75', 'item', 'update', 1, 20, 2, NULL, '{"image":null}', '{"id":20,"name":"poster","price":3.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":"/images/a0c9ac51bfd2c87147c9a3667ef2802bbbb6d83f254badcd0fc4653b0f66dc3a","updated_at":1795941771,"version":2}');
INSERT INTO public.changes VALUES (43, 1795941767, 5, '032624ddca2b-31', 'store', 'create', 12, 12, 1, NULL, NULL, '{"id":12,"name":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (44, 1795941767, 5, '032624ddca2b-31', 'member', 'create', 12, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT INTO public.changes VALUES (54, 1795941768, 3, '032624ddca2b-39', 'member', 'create', 1, 9, NULL, NULL, NULL, '{"user_id":9,"username":"grace","role":"clerk"}');
INSERT INTO public.changes VALUES (62, 1795941769, 8, '032624ddca2b-47', 'item', 'create', 3, 6, 1, 500, NULL, '{"id":6,"name":"lost umbrella","price":5.00,"store_id":3,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (63, 1795941769, 7, '032624ddca2b-48', 'item', 'create', 4, 7, 1, 100, NULL, '{"id":7,"name":"key","price":1.00,"store_id":4,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (71, 1795941769, 5, '032624ddca2b-56', 'item', 'create', 8, 15, 1, 150, NULL, '{"id":15,"name":" ","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (72, 1795941769, 5, '032624ddca2b-57', 'item', 'create', 8, 16, 1, 150, NULL, '{"id":16,"name":"  two  words ","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (80, 1795941770, 3, '032624ddca2b-65', 'item', 'update', 1, 1, 3, NULL, '{"sku":null,"barcode":null,"description":"","tags":[]}', '{"id":1,"name":"chair","price":14.90,"store_id":1,"currency":"EUR","sku":"CH-15","barcode":"4006381333931","description":"Oak, oiled.","tags":["garden","oak"],"stock":0,"archived":false,"image":null,"updated_at":1795941770,"version":3}');
INSERT INTO public.changes VALUES (88, 1795941771, 3, '032624ddca2b-73', 'item', 'update', 1, 3, 4, NULL, '{"image":"/images/2e090c112393123daeabd8a5661350c4a5a1033eac0eaf97ab2ff904ad30b541"}', '{"id":3,"name":"lamp","price":24.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":-3,"archived":false,"image":null,"updated_at":1795941771,"version":4}');
INSERT INTO public.changes VALUES (45, 1795941768, 5, '032624ddca2b-32', 'store', 'create', 13, 13, 1, NULL, NULL, '{"id":13,"name":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (46, 1795941768, 5, '032624ddca2b-32', 'member', 'create', 13, 5, NULL, NULL, NULL, '{"user_id":5,"username":"carol","role":"owner"}');
INSERT INTO public.changes VALUES (55, 1795941768, 13, '032624ddca2b-40', 'member', 'create', 5, 3, NULL, NULL, NULL, '{"user_id":3,"username":"alice","role":"owner"}');
INSERT INTO public.changes VALUES (67, 1795941769, 5, '032624ddca2b-52', 'item', 'create', 8, 11, 1, 150, NULL, '{"id":11,"name":"chair ","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (75, 1795941769, 4, '032624ddca2b-60', 'item', 'create', 15, 19, 1, 100, NULL, '{"id":19,"name":"sand","price":1.00,"store_id":15,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (83, 1795941770, 3, '032624ddca2b-68', 'item', 'update', 1, 3, 2, NULL, '{"stock":0}', '{"id":3,"name":"lamp","price":24.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":-3,"archived":false,"image":null,"updated_at":1795941770,"version":2}');
INSERT INTO public.changes VALUES (91, 1795941772, 3, '032624ddca2b-76', 'item', 'delete', 1, 20, 2, NULL, '{"id":20,"name":"poster","price":3.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":"/images/a0c9ac51bfd2c87147c9a3667ef2802bbbb6d83f254badcd0fc4653b0f66dc3a","updated_at":1795941771,"version":2}', NULL);
INSERT INTO public.changes VALUES (47, 1795941768, 4, '032624ddca2b-34', 'store', 'create', 14, 14, 1, NULL, NULL, '{"id":14,"name":" shed","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (48, 1795941768, 4, '032624ddca2b-34', 'member', 'create', 14, 4, NULL, NULL, NULL, '{"user_id":4,"username":"bob","role":"owner"}');
INSERT INTO public.changes VALUES (57, 1795941768, 3, '032624ddca2b-42', 'item', 'update', 1, 1, 2, 1490, '{"price":15.90}', '{"id":1,"name":"chair","price":14.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941768,"version":2}');
INSERT INTO public.changes VALUES (69, 1795941769, 5, '032624ddca2b-54', 'item', 'create', 8, 13, 1, 150, NULL, '{"id":13,"name":".","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (77, 1795941770, 4, '032624ddca2b-62', 'item', 'delete', 15, 19, 1, NULL, '{"id":19,"name":"sand","price":1.00,"store_id":15,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}', NULL);
INSERT INTO public.changes VALUES (78, 1795941770, 4, '032624ddca2b-62', 'store', 'delete', 15, 15, 1, NULL, '{"id":15,"name":"gone","currency":"EUR","negative_stock":false,"version":1}', NULL);
INSERT INTO public.changes VALUES (85, 1795941771, 3, '032624ddca2b-70', 'item', 'update', 1, 1, 5, NULL, '{"image":null}', '{"id":1,"name":"chair","price":14.90,"store_id":1,"currency":"EUR","sku":"CH-15","barcode":"4006381333931","description":"Oak, oiled.","tags":["garden","oak"],"stock":12,"archived":false,"image":"/images/4dab5959a656d8c3fdef42ebec35f3f675b62d92fdc0d182ea9e7836acd21616","updated_at":1795941771,"version":5}');
INSERT INTO public.changes VALUES (49, 1795941768, 4, '032624ddca2b-35', 'store', 'create', 15, 15, 1, NULL, NULL, '{"id":15,"name":"gone","currency":"EUR","negative_stock":false,"version":1}');
INSERT INTO public.changes VALUES (50, 1795941768, 4, '032624ddca2b-35', 'member', 'create', 15, 4, NULL, NULL, NULL, '{"user_id":4,"username":"bob","role":"owner"}');
INSERT INTO public.changes VALUES (58, 1795941769, 4, '032624ddca2b-43', 'item', 'create', 1, 2, 1, 12900, NULL, '{"id":2,"name":"table","price":129.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (70, 1795941769, 5, '032624ddca2b-55', 'item', 'create', 8, 14, 1, 150, NULL, '{"id":14,"name":"..","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (86, 1795941771, 3, '032624ddca2b-71', 'item', 'update', 1, 3, 3, NULL, '{"image":null}', '{"id":3,"name":"lamp","price":24.90,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":-3,"archived":false,"image":"/images/2e090c112393123daeabd8a5661350c4a5a1033eac0eaf97ab2ff904ad30b541","updated_at":1795941771,"version":3}');
INSERT INTO public.changes VALUES (53, 1795941768, 3, '032624ddca2b-38', 'member', 'create', 1, 16, NULL, NULL, NULL, '{"user_id":16,"username":"leo","role":"owner"}');
INSERT INTO public.changes VALUES (61, 1795941769, 3, '032624ddca2b-46', 'item', 'create', 2, 5, 1, 2000, NULL, '{"id":5,"name":"chair","price":2000,"store_id":2,"currency":"JPY","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (66, 1795941769, 5, '032624ddca2b-51', 'item', 'create', 8, 10, 1, 150, NULL, '{"id":10,"name":" chair","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (74, 1795941769, 5, '032624ddca2b-59', 'item', 'create', 8, 18, 1, 150, NULL, '{"id":18,"name":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ","price":1.50,"store_id":8,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941769,"version":1}');
INSERT INTO public.changes VALUES (79, 1795941770, 1, '032624ddca2b-64', 'user', 'update', NULL, 10, NULL, NULL, '{"is_admin":false}', '{"id":10,"username":"heidi","is_admin":true,"is_active":true}');
INSERT INTO public.changes VALUES (87, 1795941771, 8, '032624ddca2b-72', 'item', 'update', 3, 6, 2, NULL, '{"image":null}', '{"id":6,"name":"lost umbrella","price":5.00,"store_id":3,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":"/images/c6e3e2ecdd0f1e1a5847095415969e44128ee3eebd658df35bbc6673586cd464","updated_at":1795941771,"version":2}');
INSERT INTO public.changes VALUES (94, 1795941778, 3, 'import 1', 'item', 'create', 1, 23, 1, 1250, NULL, '{"id":23,"name":"cushion","price":12.50,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":4,"archived":false,"image":null,"updated_at":1795941778,"version":1}');
INSERT INTO public.changes VALUES (95, 1795941778, 3, 'import 1', 'item', 'create', 1, 24, 1, 700, NULL, '{"id":24,"name":"vase","price":7.00,"store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":1,"archived":false,"image":null,"updated_at":1795941778,"version":1}');
INSERT INTO public.changes VALUES (96, 1795941821, 3, '032624ddca2b-416', 'item', 'update', 1, 1, 6, NULL, '{"stock":12}', '{"id":1,"name":"chair","price":14.90,"store_id":1,"currency":"EUR","sku":"CH-15","barcode":"4006381333931","description":"Oak, oiled.","tags":["garden","oak"],"stock":11,"archived":false,"image":"/images/4dab5959a656d8c3fdef42ebec35f3f675b62d92fdc0d182ea9e7836acd21616","updated_at":1795941821,"version":6}');
INSERT INTO public.changes VALUES (97, 1795941821, 7, '032624ddca2b-417', 'item', 'update', 4, 7, 2, 200, '{"price":1.00}', '{"id":7,"name":"key","price":2.00,"store_id":4,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941821,"version":2}');
INSERT INTO public.changes VALUES (98, 1795941821, 13, '032624ddca2b-418', 'item', 'update', 5, 8, 2, 3100, '{"price":30.00}', '{"id":8,"name":"hat","price":31.00,"store_id":5,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941821,"version":2}');
INSERT INTO public.changes VALUES (99, 1795941823, 3, '032624ddca2b-455', 'member', 'delete', 1, 16, NULL, NULL, '{"user_id":16,"username":"leo","role":"owner"}', NULL);
INSERT INTO public.changes VALUES (100, 1795941823, 1, '032624ddca2b-456', 'user', 'update', NULL, 6, NULL, NULL, '{"is_admin":false}', '{"id":6,"username":"dave","is_admin":true,"is_active":true}');
INSERT INTO public.changes VALUES (101, 1795941823, 1, '032624ddca2b-457', 'user', 'update', NULL, 6, NULL, NULL, '{"is_admin":true}', '{"id":6,"username":"dave","is_admin":false,"is_active":true}');
INSERT INTO public.changes VALUES (102, 1795941823, 1, '032624ddca2b-458', 'user', 'update', NULL, 10, NULL, NULL, '{"is_admin":true}', '{"id":10,"username":"heidi","is_admin":false,"is_active":true}');
INSERT INTO public.changes VALUES (103, 1795941828, NULL, '', 'user', 'update', NULL, 17, NULL, NULL, '{"is_admin":true}', '{"id":17,"username":"olivia","is_admin":false,"is_active":true}');
INSERT INTO public.changes VALUES (104, 1795941835, NULL, '', 'user', 'update', NULL, 9, NULL, NULL, '{"is_admin":false}', '{"id":9,"username":"grace","is_admin":true,"is_active":true}');
INSERT INTO public.changes VALUES (105, 1795941835, 1, '032624ddca2b-459', 'user', 'update', NULL, 19, NULL, NULL, '{"is_active":true}', '{"id":19,"username":"quinn","is_admin":false,"is_active":false}');
INSERT INTO public.changes VALUES (106, 1795941835, 1, '032624ddca2b-460', 'user', 'update', NULL, 19, NULL, NULL, '{"is_active":false}', '{"id":19,"username":"quinn","is_admin":false,"is_active":true}');
INSERT INTO public.changes VALUES (107, 1795941835, 1, '032624ddca2b-461', 'user', 'update', NULL, 7, NULL, NULL, '{"is_active":true}', '{"id":7,"username":"erin","is_admin":false,"is_active":false}');
INSERT INTO public.changes VALUES (108, 1795941835, 8, '032624ddca2b-462', 'user', 'delete', NULL, 8, NULL, NULL, '{"id":8,"username":"frank","is_admin":false,"is_active":true}', NULL);
INSERT INTO public.changes VALUES (109, 1795941835, 13, '032624ddca2b-463', 'user', 'delete', NULL, 13, NULL, NULL, '{"id":13,"username":"judy","is_admin":false,"is_active":true}', NULL);
INSERT INTO public.changes VALUES (110, 1795941835, 1, '032624ddca2b-464', 'user', 'delete', NULL, 9, NULL, NULL, '{"id":9,"username":"grace","is_admin":true,"is_active":true}', NULL);
INSERT INTO public.changes VALUES (111, 1795941835, 1, '032624ddca2b-465', 'user', 'delete', NULL, 18, NULL, NULL, '{"id":18,"username":"pete","is_admin":true,"is_active":true}', NULL);
INSERT INTO public.changes VALUES (112, 1795941836, 15, '032624ddca2b-467', 'user', 'password', NULL, 15, NULL, NULL, '{}', '{"id":15,"username":"kim","is_admin":false,"is_active":true}');
INSERT INTO public.changes VALUES (113, 1795941843, NULL, '', 'user', 'password', NULL, 20, NULL, NULL, '{}', '{"id":20,"username":"ruth","is_admin":false,"is_active":true}');
INSERT INTO public.deliveries VALUES (1, 1, 'ping', NULL, 'delivered', 1, 200, NULL, 80, 1795941821, 1795941821, NULL, 1795941821);
INSERT INTO public.deliveries VALUES (2, 1, 'item.update', 96, 'delivered', 1, 200, NULL, 9, 1795941821, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (4, 4, 'item.update', 96, 'failed', 1, 410, NULL, 31, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (5, 5, 'item.update', 96, 'delivered', 1, 200, NULL, 29, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (8, 6, 'item.update', 98, 'delivered', 1, 200, NULL, 5, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (6, 6, 'item.update', 96, 'delivered', 1, 200, NULL, 6, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (7, 6, 'item.update', 97, 'delivered', 1, 200, NULL, 6, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (12, 8, 'item.update', 96, 'delivered', 1, 200, NULL, 3, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (11, 7, 'item.update', 98, 'delivered', 1, 200, NULL, 23, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (9, 7, 'item.update', 96, 'delivered', 1, 200, NULL, 26, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (10, 7, 'item.update', 97, 'delivered', 1, 200, NULL, 38, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (13, 9, 'item.update', 97, 'delivered', 1, 200, NULL, 34, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (14, 10, 'item.update', 98, 'delivered', 1, 200, NULL, 23, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (15, 11, 'item.update', 96, 'delivered', 1, 200, NULL, 35, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (16, 12, 'item.update', 96, 'delivered', 1, 200, NULL, 24, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (18, 13, 'item.update', 97, 'delivered', 1, 200, NULL, 5, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (17, 13, 'item.update', 96, 'delivered', 1, 200, NULL, 5, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (19, 13, 'item.update', 98, 'delivered', 1, 200, NULL, 4, 1795941822, 1795941822, NULL, 1795941822);
INSERT INTO public.deliveries VALUES (3, 2, 'item.update', 96, 'pending', 2, 500, NULL, 9, 1795941821, 1795941827, 1795942163, NULL);
INSERT INTO public.idempotency_keys VALUES ('19a6cd7ffced781c0ca97f5dc39eb8a83e776ba4ab032a793af898a97f170703', 'ec856078265895a44e8d17d51cff1897b812f3f3f179a7225d7a3d7dd569c072', '[{"type":"Done","item":{"id":21,"name":"shelf","price":"49.00","store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941772,"version":1},"is_new":true},{"type":"Done","item":{"id":22,"name":"bed ","price":"199.00","store_id":1,"currency":"EUR","sku":null,"barcode":null,"description":"","tags":[],"stock":0,"archived":false,"image":null,"updated_at":1795941772,"version":1},"is_new":true}]', 1795941772);
INSERT INTO public.idempotency_keys VALUES ('3d0acffa3c9427414ed4ddce8f8b78dfc0f7db9b620ea4b071141e24a2e301a4', '73708e04651dbbbaf1ddec309704d72c4685336cc8a50d732b728876e720c33e', '{"id":11,"url":"http://127.0.0.1:18089/ok","store":"ikea","store_id":1,"user_id":3,"is_active":true,"reason":null,"cursor":95,"created_at":1795941808,"secret":"whsec_mYleeUxD9e9F/Ycz3GmTOvWenoU2YKUo3pbRvbo0lUQ="}', 1795941808);
INSERT INTO public.idempotency_keys VALUES ('709a19c6e0a78b36c11d3453d718f3f8282d2f5a430bdd35e34e59fd8365b707', '26b358b03b1978ad2e45a06d3b995b12bce08e87b062fd12a32730c58faf7d49', '{"id":5,"url":"http://127.0.0.1:18089/ok","store":"ikea","store_id":1,"user_id":3,"is_active":true,"reason":null,"cursor":95,"created_at":1795941805,"secret":"whsec_jggG/Oo0IH3M3kHSC/pCVhSqd6ymxPqitFCDIBT+2nE="}', 1795941821);
INSERT INTO public.idempotency_keys VALUES ('71cdd08ac32bc245c899f2bfc3b340ff9616a7ff538b44d6201f2d955085ed68', '937718ab59a60cad10f7da3f3f038d0d88ac52f458272a8f9473db8b353d83bc', '{"id":1,"name":"chair","price":"14.90","store_id":1,"currency":"EUR","sku":"CH-15","barcode":"4006381333931","description":"Oak, oiled.","tags":["garden","oak"],"stock":11,"archived":false,"image":"/images/4dab5959a656d8c3fdef42ebec35f3f675b62d92fdc0d182ea9e7836acd21616","updated_at":1795941821,"version":6}', 1795941821);
INSERT INTO public.import_refusals VALUES (1, 3, 2, 'price', 'A price is a number such as 15.99, without a sign, a currency or an exponent.');
INSERT INTO public.imports VALUES (1, 1, 3, 'done', false, false, 'name', '{"format": "auto", "encoding": "auto", "delimiter": "auto", "decimal": "auto", "columns": {}, "sheet": null}', 'imports/7aed30d9155922976161ac4069fe67d0', 'done.csv', '{"format": "csv", "encoding": "utf-8", "delimiter": ",", "columns": ["name", "price", "stock"], "ignored": []}', 42, 100, 2, 2, 0, 0, 0, NULL, '82c77b9117c92f40', 1795941779, 1795941772, 1795941779);
INSERT INTO public.imports VALUES (4, 1, 5, 'cancelled', true, false, 'name', '{"format": "auto", "encoding": "auto", "delimiter": "auto", "decimal": "auto", "columns": {}, "sheet": null}', 'imports/67aa2b7e2b7a93ef3b09c1d71356c6f2', 'cancelled.csv', '{"format": "csv", "encoding": "utf-8", "delimiter": ",", "columns": ["name", "price"], "ignored": []}', 19, 100, 0, 0, 0, 0, 0, NULL, '76321ac3f6578747', 1795941798, 1795941793, 1795941798);
INSERT INTO public.imports VALUES (2, 1, 4, 'planned', true, false, 'name', '{"format": "auto", "encoding": "auto", "delimiter": "auto", "decimal": "auto", "columns": {}, "sheet": null}', 'imports/f8fb7fb152c741b4bbff2c97713b7f97', 'planned.csv', '{"format": "csv", "encoding": "utf-8", "delimiter": ",", "columns": ["name", "price"], "ignored": []}', 21, 100, 1, 1, 0, 0, 0, NULL, '8de4e54e9c0b465d', 1795941785, 1795941779, 1795941785);
INSERT INTO public.imports VALUES (3, 1, 4, 'refused', false, false, 'name', '{"format": "auto", "encoding": "auto", "delimiter": "auto", "decimal": "auto", "columns": {}, "sheet": null}', 'imports/9ad8e3135adf9a3358b210d24c1515c2', 'refused.csv', '{"format": "csv", "encoding": "utf-8", "delimiter": ",", "columns": ["name", "price"], "ignored": []}', 32, 100, 2, 1, 0, 0, 1, NULL, '36f6d7103eee6fd2', 1795941793, 1795941786, 1795941793);
INSERT INTO public.item_search VALUES (2, '''§s1'' ''¶table''');
INSERT INTO public.item_search VALUES (3, '''§s1'' ''¶lamp''');
INSERT INTO public.item_search VALUES (5, '''§s2'' ''¶chair''');
INSERT INTO public.item_search VALUES (6, '''§s3'' ''¶lost'' ''¶umbrella''');
INSERT INTO public.item_search VALUES (7, '''§s4'' ''¶key''');
INSERT INTO public.item_search VALUES (8, '''§s5'' ''¶hat''');
INSERT INTO public.item_search VALUES (9, '''§s8'' ''¶chair''');
INSERT INTO public.item_search VALUES (10, '''§s8'' ''¶chair''');
INSERT INTO public.item_search VALUES (11, '''§s8'' ''¶chair''');
INSERT INTO public.item_search VALUES (12, '''§s8'' ''¶2'' ''¶chair''');
INSERT INTO public.item_search VALUES (13, '''§s8''');
INSERT INTO public.item_search VALUES (14, '''§s8''');
INSERT INTO public.item_search VALUES (15, '''§s8''');
INSERT INTO public.item_search VALUES (16, '''§s8'' ''¶two'' ''¶words''');
INSERT INTO public.item_search VALUES (17, '''§s8'' ''¶yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy''');
INSERT INTO public.item_search VALUES (18, '''§s8'' ''¶yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy''');
INSERT INTO public.item_search VALUES (1, '''garden'' ''oak'' ''oiled'' ''§s1'' ''§t67617264656e'' ''§t6f616b'' ''¶15'' ''¶4006381333931'' ''¶ch'' ''¶chair''');
INSERT INTO public.item_search VALUES (21, '''§s1'' ''¶shelf''');
INSERT INTO public.item_search VALUES (22, '''§s1'' ''¶bed''');
INSERT INTO public.item_search VALUES (23, '''§s1'' ''¶cushion''');
INSERT INTO public.item_search VALUES (24, '''§s1'' ''¶vase''');
INSERT INTO public.items VALUES (5, 2, 'chair', 2000, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (9, 8, 'chair', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (10, 8, ' chair', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (11, 8, 'chair ', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (12, 8, 'chair (2)', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (13, 8, '.', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (14, 8, '..', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (15, 8, ' ', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (16, 8, '  two  words ', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (17, 8, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (18, 8, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ', 150, NULL, NULL, '', '', 0, NULL, NULL, 1795941769, 1);
INSERT INTO public.items VALUES (2, 1, 'table', 12900, NULL, NULL, '', '', 0, 1795941770, NULL, 1795941770, 2);
INSERT INTO public.items VALUES (6, 3, 'lost umbrella', 500, NULL, NULL, '', '', 0, NULL, 'c6e3e2ecdd0f1e1a5847095415969e44128ee3eebd658df35bbc6673586cd464', 1795941771, 2);
INSERT INTO public.items VALUES (3, 1, 'lamp', 2490, NULL, NULL, '', '', -3, NULL, NULL, 1795941771, 4);
INSERT INTO public.items VALUES (21, 1, 'shelf', 4900, NULL, NULL, '', '', 0, NULL, NULL, 1795941772, 1);
INSERT INTO public.items VALUES (22, 1, 'bed ', 19900, NULL, NULL, '', '', 0, NULL, NULL, 1795941772, 1);
INSERT INTO public.items VALUES (23, 1, 'cushion', 1250, NULL, NULL, '', '', 4, NULL, NULL, 1795941778, 1);
INSERT INTO public.items VALUES (24, 1, 'vase', 700, NULL, NULL, '', '', 1, NULL, NULL, 1795941778, 1);
INSERT INTO public.items VALUES (1, 1, 'chair', 1490, 'CH-15', '4006381333931', 'Oak, oiled.', 'garden;oak', 11, NULL, '4dab5959a656d8c3fdef42ebec35f3f675b62d92fdc0d182ea9e7836acd21616', 1795941821, 6);
INSERT INTO public.items VALUES (7, 4, 'key', 200, NULL, NULL, '', '', 0, NULL, NULL, 1795941821, 2);
INSERT INTO public.items VALUES (8, 5, 'hat', 3100, NULL, NULL, '', '', 0, NULL, NULL, 1795941821, 2);
INSERT INTO public.login_failures VALUES (1, 'name 2bd806c97f0e00af1a1fc3328fa763a9269723c8', 1795941844602);
INSERT INTO public.login_failures VALUES (2, 'address 192.0.2.99', 1795941844602);
INSERT INTO public.login_failures VALUES (3, 'everybody', 1795941844602);
INSERT INTO public.login_failures VALUES (4, 'name 6382b3cc881412b77bfcaeed026001c00d9e3025', 1795941845010);
INSERT INTO public.login_failures VALUES (5, 'address 192.0.2.99', 1795941845010);
INSERT INTO public.login_failures VALUES (6, 'everybody', 1795941845010);
INSERT INTO public.login_failures VALUES (7, 'name 4813494d137e1631bba301d5acab6e7bb7aa74ce', 1795941845277);
INSERT INTO public.login_failures VALUES (8, 'address 2001:db8:9::/64', 1795941845277);
INSERT INTO public.login_failures VALUES (9, 'everybody', 1795941845277);
INSERT INTO public.sessions VALUES (5, 5, 1795941767, 1803717767, 1795941780, 'browser/1.0', '192.0.2.5', 0, '[]');
INSERT INTO public.sessions VALUES (6, 4, 1795941768, 1803717768, 1795941780, 'browser/1.0', '2001:db8:0:4::1', 0, '[]');
INSERT INTO public.sessions VALUES (9, 10, 1795941806, 1803717806, 1795941806, 'browser/1.0', '2001:db8:0:10::1', 0, '[]');
INSERT INTO public.sessions VALUES (10, 16, 1795941807, 1803717807, 1795941807, 'browser/1.0', '2001:db8:0:16::1', 0, '[]');
INSERT INTO public.sessions VALUES (11, 15, 1795941835, 1803717835, 1795941835, 'browser/1.0', '192.0.2.15', 0, '[]');
INSERT INTO public.sessions VALUES (12, 3, 1795941845, 1803717845, 1795941845, 'tablet', '192.0.2.3', 0, '[]');
INSERT INTO public.sessions VALUES (13, 3, 1795941845, 1803717845, 1795941845, 'till', '192.0.2.3', 1, '[[1, 1795941845.8953292]]');
INSERT INTO public.sessions VALUES (14, 3, 1795941846, 1803717846, 1795941846, 'phone', '192.0.2.3', 2, '[[1, 1795941846.3005803], [2, 1795941846.33729]]');
INSERT INTO public.sessions VALUES (15, 3, 1795941846, 1803717846, 1795941846, 'laptop', '192.0.2.3', 5, '[[1, 1795941846.7050748], [2, 1795941846.7412753], [3, 1795941846.7862687], [4, 1795941846.879292], [5, 1795941846.911712]]');
INSERT INTO public.sessions VALUES (16, 4, 1795941847, 1803717847, 1795941847, 'desk', '2001:db8:0:4::1', 2, '[[1, 1795941847.1554377], [2, 1795941847.195378]]');
INSERT INTO public.sessions VALUES (17, 14, 1795941847, 1803717847, 1795941847, 'python-requests/2.31', '2001:db8:0:14::1', 1, '[[1, 1795941847.5533993]]');
INSERT INTO public.sessions VALUES (18, 1, 1795941847, 1803717847, 1795941847, 'desk', '192.0.2.1', 0, '[]');
INSERT INTO public.sessions VALUES (19, 3, 1795941848, 1803717848, 1795941848, '', '192.0.2.3', 0, '[]');
INSERT INTO public.sessions VALUES (1, 3, 1795941765, 1803717765, 1795941840, 'browser/1.0', '192.0.2.3', 0, '[]');
INSERT INTO public.sessions VALUES (7, 1, 1795941770, 1803717770, 1795941840, 'browser/1.0', '192.0.2.1', 0, '[]');
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
INSERT INTO public.stores VALUES (2, 'Tokyo / Ginza', 'JPY', false, 1);
INSERT INTO public.stores VALUES (3, 'orphan', 'EUR', false, 1);
INSERT INTO public.stores VALUES (4, 'closed', 'EUR', false, 1);
INSERT INTO public.stores VALUES (5, 'judys', 'EUR', false, 1);
INSERT INTO public.stores VALUES (6, '.', 'EUR', false, 1);
INSERT INTO public.stores VALUES (7, '..', 'EUR', false, 1);
INSERT INTO public.stores VALUES (8, 'shed', 'EUR', false, 1);
INSERT INTO public.stores VALUES (9, 'shed ', 'EUR', false, 1);
INSERT INTO public.stores VALUES (10, 'shed (2)', 'EUR', false, 1);
INSERT INTO public.stores VALUES (11, ' ', 'EUR', false, 1);
INSERT INTO public.stores VALUES (12, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy', 'EUR', false, 1);
INSERT INTO public.stores VALUES (13, 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy ', 'EUR', false, 1);
INSERT INTO public.stores VALUES (14, ' shed', 'EUR', false, 1);
INSERT INTO public.stores VALUES (1, 'ikea', 'EUR', true, 2);
INSERT INTO public.users VALUES (1, 'root', 'root', '$argon2id$v=19$m=19456,t=2,p=1$q67JbWrWl1sjY5Wu8Zb/Wg$shoBTSO4Wxt/uCtyQ5Qoj0YFqhXPFyyXBjNEtcBHjJk', true, true);
INSERT INTO public.users VALUES (2, 'olga', 'olga', '$argon2id$v=19$m=19456,t=2,p=1$0Q+uC9A+yVk7TcV56eFFWQ$1Nk+MLNhqO84OznATClVWhQ5yEy+3yCq2eKZayz39T4', true, true);
INSERT INTO public.users VALUES (3, 'alice', 'alice', '$argon2id$v=19$m=19456,t=2,p=1$zCD+SfcpC9zOQHLEIf/fwg$hiZWfVFe6TtIaMvpnbWdf6KsPcbs1hDwGh+UTRvT7eQ', false, true);
INSERT INTO public.users VALUES (4, 'bob', 'bob', '$argon2id$v=19$m=19456,t=2,p=1$CMFB53N/QScksl1b/TFuFw$SZOoPLFcHJaq0Vs0h2pK9g/tpPoqVwAMI5zsZhKOY7w', false, true);
INSERT INTO public.users VALUES (5, 'carol', 'carol', '$argon2id$v=19$m=19456,t=2,p=1$R6J3ASRtDGX5Z0xRHpl1tw$vao7pKo6umuQxQWmu3z9LnU8GplzwEI5RDAgaomCSrM', false, true);
INSERT INTO public.users VALUES (11, 'аdmin', 'аdmin', '$argon2id$v=19$m=19456,t=2,p=1$DxTD1jurf3+vxci/y2kG+w$b7/QTYxJYYv1Jov7/diZNUrwauaxSV6qdQZK/rjy71c', false, true);
INSERT INTO public.users VALUES (12, 'Ivan', 'ivan', '$argon2id$v=19$m=19456,t=2,p=1$4qtQYohdNmwWP665qOM87g$XXNYdXPEe4HDjSxVpJf+IB5y+QkFSrL/EoalcqnNpdM', false, true);
INSERT INTO public.users VALUES (14, 'course', 'course', '$argon2id$v=19$m=19456,t=2,p=1$qSZwGhzPv+u579m+NznpSQ$tcOZaZIhmPL3vUauM0QBpkQzrAkD/Ri5ZqWkdRVuC9Q', false, true);
INSERT INTO public.users VALUES (16, 'leo', 'leo', '$argon2id$v=19$m=19456,t=2,p=1$gbvbCd8XmGjCoYAFmv4Taw$/JsREFR+tMCOX+Iu5PGoQbn9enYgIv3h/oxXPsvVJ28', false, true);
INSERT INTO public.users VALUES (6, 'dave', 'dave', '$argon2id$v=19$m=19456,t=2,p=1$yiNL9mms6drFJYjGURUP4g$vljC4bcUJ2Gi6PR5aUWS5KD4J8j+EytlzN4Ht9dkLaQ', false, true);
INSERT INTO public.users VALUES (10, 'heidi', 'heidi', '$argon2id$v=19$m=19456,t=2,p=1$bQoe/aHgJyRTDmvyeT3z0Q$S3DpXFzqqW/5XcYKhpPQAWKPA+Jq+cxsHVyCFfxu0RA', false, true);
INSERT INTO public.users VALUES (17, 'olivia', 'olivia', '$argon2id$v=19$m=19456,t=2,p=1$yq9iK0c+Y9IqzzYBWfDhkw$myHKRIEWbxrWvygf5ytjRtfhjm53ZLFL0A4XVtEdT+M', false, true);
INSERT INTO public.users VALUES (19, 'quinn', 'quinn', '$argon2id$v=19$m=19456,t=2,p=1$4flbV8IzF/dNRyABTxldOQ$DYCbJ9TD16Z4sZp8rB18DQ7e296YwQGT3z6WTn8we7g', false, true);
INSERT INTO public.users VALUES (7, 'erin', 'erin', '$argon2id$v=19$m=19456,t=2,p=1$CM7r1HE03XCx5Ma2Vmv1iw$q9SGdunAnwwDxoRyEkFjlfXgexqRgOm9/SvLZz4juPM', false, false);
INSERT INTO public.users VALUES (15, 'kim', 'kim', '$argon2id$v=19$m=19456,t=2,p=1$DCxNndEad1A0Xkb2+Qu1nA$wZEVJxff8+g1npT95rNSqR7OMTl0KTeEkYCdqmZR/ww', false, true);
INSERT INTO public.users VALUES (20, 'ruth', 'ruth', '$argon2id$v=19$m=19456,t=2,p=1$uYLfmhR0hglB3IeFaWNYMQ$COKoMMrV2skMtn2KUZxXt/HoAck1WP5lp+WIaIShoxI', false, true);
INSERT INTO public.webhooks VALUES (3, 'http://127.0.0.1:18089/ok', 1, 3, 'whsec_R2yi1fuXQrwfnROdeiOEOdbeHhyuO2VcILNq8rQXQKU=', NULL, NULL, false, NULL, 95, NULL, 0, 1795941804);
INSERT INTO public.webhooks VALUES (4, 'http://127.0.0.1:18089/gone', 1, 3, 'whsec_V+FG7BnI1ja8dCZ2ap/VMkLMjpRXOd5Z9q5xRmThl+E=', NULL, NULL, false, 'Its receiver answered 410: it wants no more.', 98, NULL, 0, 1795941805);
INSERT INTO public.webhooks VALUES (1, 'http://127.0.0.1:18089/ok', 1, 3, 'whsec_4Dm/6hRtnoL1PMawI3liTwTwP04VPXGV4TrFK+lMJv8=', NULL, NULL, true, NULL, 113, NULL, 0, 1795941804);
INSERT INTO public.webhooks VALUES (2, 'http://127.0.0.1:18089/fails', 1, 3, 'whsec_LhCncehxGsDRr1v6Ak75fcU4dWCQvc9d/xoJ8zBBcSs=', NULL, NULL, true, NULL, 113, NULL, 0, 1795941804);
INSERT INTO public.webhooks VALUES (6, 'http://127.0.0.1:18089/ok', NULL, 1, 'whsec_ofd2iq0ANTDsNnUTnd0R7NMbi7h3gi3YFoDPVAa3/WQ=', NULL, NULL, true, NULL, 113, NULL, 0, 1795941805);
INSERT INTO public.webhooks VALUES (7, 'http://127.0.0.1:18089/ok', NULL, 10, 'whsec_Ft2EQhyWUy2ZkRRiJYrgBOr0qkEwHiZ5NUxNMTMvDi0=', NULL, NULL, true, NULL, 113, NULL, 0, 1795941806);
INSERT INTO public.webhooks VALUES (5, 'http://127.0.0.1:18089/ok', 1, 3, 'whsec_jggG/Oo0IH3M3kHSC/pCVhSqd6ymxPqitFCDIBT+2nE=', 'whsec_/xWZwZG52h0XQi2M7xD2vWcUhoE9SLFPE3hFZlOyZME=', 1796028221, true, NULL, 113, NULL, 0, 1795941805);
INSERT INTO public.webhooks VALUES (8, 'http://127.0.0.1:18089/ok', 1, 16, 'whsec_jg25qleAj9YX2lIVWEWXDGnwgn7W8rmxPNZzTCNjX7A=', NULL, NULL, true, NULL, 113, NULL, 0, 1795941807);
INSERT INTO public.webhooks VALUES (9, 'http://127.0.0.1:18089/ok', 4, 7, 'whsec_W5Jsk6kAYHOfl3WOOhSzoredK+9DwEkrySUKvyH/8BY=', NULL, NULL, true, NULL, 113, NULL, 0, 1795941808);
INSERT INTO public.webhooks VALUES (10, 'http://127.0.0.1:18089/ok', 5, NULL, 'whsec_l60Weiskw5mvHnX5Oral5o+73FUvP9D8Ab0bb8zFjiQ=', NULL, NULL, true, NULL, 113, NULL, 0, 1795941808);
INSERT INTO public.webhooks VALUES (11, 'http://127.0.0.1:18089/ok', 1, 3, 'whsec_mYleeUxD9e9F/Ycz3GmTOvWenoU2YKUo3pbRvbo0lUQ=', NULL, NULL, true, NULL, 113, NULL, 0, 1795941808);
INSERT INTO public.webhooks VALUES (12, 'http://127.0.0.1:18089/ok', 1, NULL, 'whsec_IWfE9YIZj2Wc1U+r5p1yvZgiqXDaDRTk8nloGBoFeeE=', NULL, NULL, true, NULL, 113, NULL, 0, 1795941816);
INSERT INTO public.webhooks VALUES (13, 'http://127.0.0.1:18089/ok', NULL, NULL, 'whsec_HgO+5MUfyN8LK2lFnKVlJjeJd8R8LBWCFBUkTCAWloQ=', NULL, NULL, true, NULL, 113, NULL, 0, 1795941820);
SELECT pg_catalog.setval('public.changes_id_seq', 113, true);
SELECT pg_catalog.setval('public.deliveries_id_seq', 19, true);
SELECT pg_catalog.setval('public.import_refusals_id_seq', 1, true);
SELECT pg_catalog.setval('public.imports_id_seq', 5, true);
SELECT pg_catalog.setval('public.items_id_seq', 24, true);
SELECT pg_catalog.setval('public.journal_id_seq', 1, false);
SELECT pg_catalog.setval('public.login_failures_id_seq', 9, true);
SELECT pg_catalog.setval('public.sessions_id_seq', 20, true);
SELECT pg_catalog.setval('public.stores_id_seq', 15, true);
SELECT pg_catalog.setval('public.users_id_seq', 20, true);
SELECT pg_catalog.setval('public.webhooks_id_seq', 13, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.item_search
    ADD CONSTRAINT item_search_pkey PRIMARY KEY (rowid);
ALTER TABLE ONLY public.backups
    ADD CONSTRAINT pk_backups PRIMARY KEY (made_at);
ALTER TABLE ONLY public.changes
    ADD CONSTRAINT pk_changes PRIMARY KEY (id);
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT pk_deliveries PRIMARY KEY (id);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY (key);
ALTER TABLE ONLY public.import_refusals
    ADD CONSTRAINT pk_import_refusals PRIMARY KEY (id);
ALTER TABLE ONLY public.imports
    ADD CONSTRAINT pk_imports PRIMARY KEY (id);
ALTER TABLE ONLY public.items
    ADD CONSTRAINT pk_items PRIMARY KEY (id);
ALTER TABLE ONLY public.journal
    ADD CONSTRAINT pk_journal PRIMARY KEY (id);
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
ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT pk_webhooks PRIMARY KEY (id);
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT uq_deliveries_webhook_id UNIQUE (webhook_id, type, change_id);
ALTER TABLE ONLY public.items
    ADD CONSTRAINT uq_items_store_id UNIQUE (store_id, name);
ALTER TABLE ONLY public.stores
    ADD CONSTRAINT uq_stores_name UNIQUE (name);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT uq_users_username_key UNIQUE (username_key);
CREATE INDEX ix_changes_kind_subject_id ON public.changes USING btree (kind, subject_id, id);
CREATE INDEX ix_changes_price ON public.changes USING btree (subject_id, id) WHERE (price_minor IS NOT NULL);
CREATE INDEX ix_changes_store_id_id ON public.changes USING btree (store_id, id);
CREATE INDEX ix_deliveries_ended_at ON public.deliveries USING btree (ended_at);
CREATE INDEX ix_deliveries_webhook_id_id ON public.deliveries USING btree (webhook_id, id);
CREATE INDEX ix_deliveries_webhook_id_next_at ON public.deliveries USING btree (webhook_id, next_at);
CREATE INDEX ix_idempotency_keys_at ON public.idempotency_keys USING btree (at);
CREATE INDEX ix_import_refusals_import_id_line ON public.import_refusals USING btree (import_id, line);
CREATE INDEX ix_imports_ended_at ON public.imports USING btree (ended_at);
CREATE INDEX ix_imports_state ON public.imports USING btree (state);
CREATE INDEX ix_imports_store_id ON public.imports USING btree (store_id);
CREATE INDEX ix_imports_user_id ON public.imports USING btree (user_id);
CREATE INDEX ix_item_search_document ON public.item_search USING gin (document);
CREATE INDEX ix_items_archived ON public.items USING btree (store_id, archived_at) WHERE (archived_at IS NOT NULL);
CREATE INDEX ix_items_name_id ON public.items USING btree (name, id);
CREATE INDEX ix_items_store_id_id ON public.items USING btree (store_id, id);
CREATE INDEX ix_items_store_id_price ON public.items USING btree (store_id, price_minor, id);
CREATE INDEX ix_items_store_id_stock ON public.items USING btree (store_id, stock, id);
CREATE INDEX ix_items_store_id_updated ON public.items USING btree (store_id, updated_at, id);
CREATE INDEX ix_items_updated ON public.items USING btree (updated_at, id);
CREATE INDEX ix_login_failures_bucket_failed_at ON public.login_failures USING btree (bucket, failed_at);
CREATE INDEX ix_login_failures_failed_at ON public.login_failures USING btree (failed_at);
CREATE INDEX ix_sessions_ends_at ON public.sessions USING btree (ends_at);
CREATE INDEX ix_sessions_user_id ON public.sessions USING btree (user_id);
CREATE INDEX ix_store_members_user_id ON public.store_members USING btree (user_id);
CREATE INDEX ix_webhooks_user_id ON public.webhooks USING btree (user_id);
CREATE UNIQUE INDEX uq_items_barcode_store_id ON public.items USING btree (barcode, store_id);
CREATE UNIQUE INDEX uq_items_sku_store_id ON public.items USING btree (sku, store_id);
CREATE TRIGGER changes_stay BEFORE UPDATE ON public.changes FOR EACH STATEMENT EXECUTE FUNCTION public.changes_stay();
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT fk_deliveries_webhook_id_webhooks FOREIGN KEY (webhook_id) REFERENCES public.webhooks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.import_refusals
    ADD CONSTRAINT fk_import_refusals_import_id_imports FOREIGN KEY (import_id) REFERENCES public.imports(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.imports
    ADD CONSTRAINT fk_imports_store_id_stores FOREIGN KEY (store_id) REFERENCES public.stores(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.imports
    ADD CONSTRAINT fk_imports_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.items
    ADD CONSTRAINT fk_items_store_id_stores FOREIGN KEY (store_id) REFERENCES public.stores(id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT fk_sessions_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.store_members
    ADD CONSTRAINT fk_store_members_store_id_stores FOREIGN KEY (store_id) REFERENCES public.stores(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.store_members
    ADD CONSTRAINT fk_store_members_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT fk_webhooks_user_id_users FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.item_search
    ADD CONSTRAINT item_search_rowid_fkey FOREIGN KEY (rowid) REFERENCES public.items(id) ON DELETE CASCADE;
