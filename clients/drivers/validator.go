// In place of the only package that the Go client needs. That one looks at `validate` tags; where the client calls it
// there are none, which a test sees, and then it finds nothing wrong either.
package validator

func Validate(any) error { return nil }
