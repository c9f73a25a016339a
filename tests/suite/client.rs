//! A client of a served instance.

use gongkai_tests::Served;
use reqwest::header;
use serde_json::Value;

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status and, of a problem, its code.
    pub fn problem(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// Asks one instance.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    pub base: String,
}

impl Client {
    pub fn of(served: &Served) -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("client");
        Self { runtime: tokio::runtime::Runtime::new().expect("runtime"), client, base: served.base.clone() }
    }

    /// Sends a request; what the connection does is an answer too.
    pub fn try_send(
        &self,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.runtime.block_on(async {
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
        })
    }

    pub fn send(&self, method: reqwest::Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.try_send(method, path, headers, Vec::new()).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(reqwest::Method::GET, path, &[])
    }

    /// Asks a statement, with further parameters.
    pub fn sql(&self, statement: &str, more: &[(&str, &str)]) -> Answer {
        let parameters = [("q", statement)].into_iter().chain(more.iter().copied());
        let url =
            reqwest::Url::parse_with_params(&format!("{}/api/v1/sql", self.base), parameters).expect("an address");
        self.get(&url.as_str()[self.base.len()..])
    }

    /// Posts bytes with a key; without one where it is empty.
    pub fn post(&self, path: &str, key: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let bearer = format!("Bearer {key}");
        let authorization = (!key.is_empty()).then_some(("authorization", bearer.as_str()));
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain(authorization).collect();
        let answer = self.try_send(reqwest::Method::POST, path, &headers, body.to_vec());
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Posts JSON with a key.
    pub fn post_json(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.post(path, key, &[("content-type", "application/json")], body.to_string().as_bytes())
    }
}
