// Makes calls with openapi-generator's Go client: `driver ADDRESS CALLS`.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"

	"shop.example/acme/storekeeper"
)

type call struct {
	Operation string                     `json:"operation"`
	Tag       string                     `json:"tag"`
	InPath    []string                   `json:"in_path"`
	Declared  []string                   `json:"declared"`
	Given     map[string]json.RawMessage `json:"given"`
	Token     string                     `json:"token"`
	Body      string                     `json:"body"`
	BodyType  string                     `json:"body_type"`
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	check(err)
	var calls []call
	check(json.Unmarshal(text, &calls))
	for _, each := range calls {
		told, err := json.Marshal(plain(each.send(os.Args[1])))
		check(err)
		fmt.Println(string(told))
	}
}

func (c call) send(address string) any {
	configuration := storekeeper.NewConfiguration()
	configuration.Servers = storekeeper.ServerConfigurations{{URL: address}}
	service := reflect.ValueOf(storekeeper.NewAPIClient(configuration)).Elem().FieldByName(title(c.Tag) + "API")
	ctx := context.WithValue(context.Background(), storekeeper.ContextAccessToken, c.Token)
	if c.Token == "" {
		ctx = context.Background()
	}
	method := service.MethodByName(title(c.Operation))
	arguments := []reflect.Value{reflect.ValueOf(ctx)}
	for number, name := range c.InPath {
		arguments = append(arguments, convert(c.Given[name], method.Type().In(number+1)))
	}
	request := c.fill(method.Call(arguments)[0])
	answer := request.MethodByName("Execute").Call(nil)
	if failure, isFailure := answer[2].Interface().(error); isFailure {
		check(fmt.Errorf("%s: %w", c.Operation, failure))
	}
	return answer[0].Interface()
}

// The request with all that is given beside the path. Of what is not declared as a parameter, one is the body.
func (c call) fill(request reflect.Value) reflect.Value {
	given := map[string]json.RawMessage{}
	for name, value := range c.Given {
		given[plainName(name)] = value
	}
	declared := map[string]bool{"execute": true}
	for _, name := range c.Declared {
		declared[plainName(name)] = true
	}
	for number := 0; number < request.NumMethod(); number++ {
		name := plainName(request.Type().Method(number).Name)
		setter := request.Method(number)
		if value, isGiven := given[name]; isGiven {
			request = setter.Call([]reflect.Value{convert(value, setter.Type().In(0))})[0]
		} else if !declared[name] && c.Body != "" {
			request = setter.Call([]reflect.Value{c.content(setter.Type().In(0))})[0]
		}
	}
	return request
}

func (c call) content(kind reflect.Type) reflect.Value {
	if c.BodyType != "" {
		return convert(json.RawMessage(c.Body), kind)
	}
	bytes, err := base64.StdEncoding.DecodeString(c.Body)
	check(err)
	file, err := os.CreateTemp("", "upload")
	check(err)
	_, err = file.Write(bytes)
	check(err)
	_, err = file.Seek(0, io.SeekStart)
	check(err)
	return reflect.ValueOf(file)
}

func convert(text json.RawMessage, kind reflect.Type) reflect.Value {
	value := reflect.New(kind)
	check(json.Unmarshal(text, value.Interface()))
	return value.Elem()
}

func plain(value any) any {
	if file, isFile := value.(*os.File); isFile {
		bytes, err := io.ReadAll(file)
		check(err)
		return bytes
	}
	return value
}

func title(name string) string {
	return strings.ToUpper(name[:1]) + name[1:]
}

var others = regexp.MustCompile("[^A-Za-z]")

func plainName(name string) string {
	return strings.ToLower(others.ReplaceAllString(name, ""))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
