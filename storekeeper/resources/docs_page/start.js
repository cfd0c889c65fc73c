const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayOperationId: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  responseInterceptor: signIn,
});

// Who logs in here is signed in here.
function signIn(response) {
  if (response.ok && /\/(login|login\/fresh|refresh)$/.test(response.url)) {
    const { access_token, refresh_token } = JSON.parse(response.text);
    ui.preauthorizeApiKey("accessToken", access_token);
    if (refresh_token) ui.preauthorizeApiKey("refreshToken", refresh_token);
  }
  return response;
}

// The links above lead into the list.
addEventListener("hashchange", () => ui.layoutActions.parseDeepLinkHash(location.hash));
