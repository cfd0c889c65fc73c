module.exports = require("@strapi/strapi").factories.createCoreController("api::store.store");
