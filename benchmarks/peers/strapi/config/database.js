module.exports = ({ env }) => ({
  connection:
    env("DATABASE_CLIENT") === "postgres"
      ? {
          client: "postgres",
          connection: {
            host: env("DATABASE_HOST"),
            port: env.int("DATABASE_PORT", 5432),
            database: env("DATABASE_NAME"),
            user: env("DATABASE_USERNAME"),
            password: env("DATABASE_PASSWORD"),
          },
          pool: { min: 2, max: 10 },
        }
      : { client: "sqlite", connection: { filename: env("DATABASE_FILENAME") }, useNullAsDefault: true },
});
