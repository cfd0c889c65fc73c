import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.HashSet;
import org.openapitools.client.ApiClient;

/** Makes calls with openapi-generator's Java client: `java Driver ADDRESS CALLS`. */
public class Driver {
  private static final ObjectMapper mapper = ApiClient.createDefaultObjectMapper();

  public static void main(String[] arguments) throws Exception {
    for (JsonNode call : mapper.readTree(new File(arguments[1]))) {
      System.out.println(mapper.writeValueAsString(plain(make(call, client(arguments[0], call.get("token").asText())))));
    }
  }

  static ApiClient client(String address, String token) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(address);
    if (!token.isEmpty()) {
      client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));
    }
    return client;
  }

  static Object make(JsonNode call, ApiClient client) throws Exception {
    Class<?> kind = Class.forName("org.openapitools.client.api." + title(call.get("tag").asText()) + "Api");
    Method method = find(kind, call.get("operation").asText());
    Map<String, JsonNode> given = new HashMap<>();
    call.get("given").fields().forEachRemaining(each -> given.put(plainName(each.getKey()), each.getValue()));
    Set<String> declared = new HashSet<>();
    call.get("declared").forEach(each -> declared.add(plainName(each.asText())));
    Object[] values = new Object[method.getParameterCount()];
    for (int number = 0; number < values.length; number++) {
      Parameter parameter = method.getParameters()[number];
      String name = plainName(parameter.getName());
      values[number] = declared.contains(name) ? convert(given.get(name), parameter) : body(call, parameter);
    }
    return method.invoke(kind.getConstructor(ApiClient.class).newInstance(client), values);
  }

  /** Of the two, the one without headers. */
  static Method find(Class<?> kind, String name) {
    return Arrays.stream(kind.getMethods())
        .filter(method -> method.getName().equals(name))
        .filter(method -> Arrays.stream(method.getParameterTypes()).noneMatch(Map.class::equals))
        .findFirst().orElseThrow();
  }

  static Object convert(JsonNode value, Parameter parameter) {
    return value == null ? null : mapper.convertValue(value, mapper.constructType(parameter.getParameterizedType()));
  }

  static Object body(JsonNode call, Parameter parameter) throws Exception {
    String body = call.get("body").asText();
    if (body.isEmpty()) {
      return null;
    }
    if (!parameter.getType().equals(File.class)) {
      return mapper.readValue(body, mapper.constructType(parameter.getParameterizedType()));
    }
    File file = File.createTempFile("upload", null);
    Files.write(file.toPath(), Base64.getDecoder().decode(body));
    return file;
  }

  static Object plain(Object value) throws Exception {
    return value instanceof File file ? Files.readAllBytes(file.toPath()) : value;
  }

  static String title(String name) {
    return name.substring(0, 1).toUpperCase() + name.substring(1);
  }

  static String plainName(String name) {
    return name.replaceAll("[^A-Za-z]", "").toLowerCase();
  }
}
