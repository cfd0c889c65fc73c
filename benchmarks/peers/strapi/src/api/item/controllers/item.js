module.exports = require("@strapi/strapi").factories.createCoreController("api::item.item");
